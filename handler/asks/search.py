"""`{"search": "mat", "limit": 10}`: movies by the words of their titles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handler import options
from handler.asks.base import AskCodec
from handler.errors import RequestError, allow_fields, shown
from handler.schema_terms import Schema, array_of, object_of
from model.asks import SearchAnswer, SearchAsk

SEARCH_FIELDS = frozenset({"search", "limit", "fields"})
MAX_QUERY_CHARACTERS = 200
LIMIT = 10


class SearchCodec(AskCodec[SearchAsk, SearchAnswer]):
    """Search of the catalogue."""

    name = "search"
    answer_name = "search"
    marks = ("search",)

    def decode_item(self, item: Mapping[str, Any], prefix: str) -> SearchAsk:
        """The query; an empty one finds the movies with the most ratings."""
        allow_fields(item, SEARCH_FIELDS, prefix)
        query = item["search"]
        if not isinstance(query, str) or len(query) > MAX_QUERY_CHARACTERS:
            raise RequestError(
                f"{prefix}search: expected text of at most {MAX_QUERY_CHARACTERS} characters, got {shown(query)}"
            )
        limit = options.count(item.get("limit", LIMIT), f"{prefix}limit", self.context.settings.max_top_k)
        return SearchAsk(query, limit, self.context.decode_fields(item.get("fields", []), f"{prefix}fields"))

    def encode_answer(self, ask: SearchAsk, answer: SearchAnswer) -> dict[str, Any]:
        """The movies, the best match first."""
        words = self.context.words
        movies = [
            {words.item_id: movie_id} | self.context.shown(row, ask.fields)
            for movie_id, row in zip(answer.movie_ids, answer.movie_index.tolist(), strict=True)
        ]
        return {"search": ask.query, words.items: movies}

    def num_pairs(self, ask: SearchAsk) -> int:
        """None is rated; what the answer holds counts."""
        return ask.limit

    def request_schema(self) -> Schema:
        """The query, and options."""
        optional = {
            "limit": options.count_schema(self.context.settings.max_top_k),
            "fields": self.context.fields_schema(),
        }
        return object_of({"search": {"type": "string", "maxLength": MAX_QUERY_CHARACTERS}}, optional)

    def answer_schema(self) -> Schema:
        """The query, and `movies`."""
        words = self.context.words
        movie = object_of({words.item_id: self.context.terms.movie}, self.context.catalogue_schema())
        return object_of({"search": {"type": "string"}, words.items: array_of(movie)})
