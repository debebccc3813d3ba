"""`{"search": "mat", "limit": 10}`: movies by the words of their titles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handler import options
from handler.asks.base import AskCodec
from handler.errors import RequestError, allow_fields, shown
from handler.schema_terms import Schema, array_of, object_of, ref
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
        return SearchAsk(
            query, limit, options.fields(item.get("fields", []), f"{prefix}fields", self.context.catalogue)
        )

    def encode_answer(self, ask: SearchAsk, answer: SearchAnswer) -> dict[str, Any]:
        """The movies, the best match first."""
        catalogue = self.context.catalogue
        movies = [
            {"movie_id": movie_id} | catalogue.shown(row, ask.fields)
            for movie_id, row in zip(answer.movie_ids, answer.movie_index.tolist(), strict=True)
        ]
        return {"search": ask.query, "movies": movies}

    def num_pairs(self, ask: SearchAsk) -> int:
        """None is rated; what the answer holds counts."""
        return ask.limit

    def request_schema(self) -> Schema:
        """The query, and options."""
        optional = {
            "limit": options.count_schema(self.context.settings.max_top_k),
            "fields": options.fields_schema(self.context.catalogue),
        }
        return object_of({"search": {"type": "string", "maxLength": MAX_QUERY_CHARACTERS}}, optional)

    def answer_schema(self) -> Schema:
        """The query, and `movies`."""
        movie = object_of({"movie_id": ref("movie_id")}, self.context.catalogue_schema())
        return object_of({"search": {"type": "string"}, "movies": array_of(movie)})
