"""`{"movie_id": ..., "similar": 10}`: the movies that are most alike to one movie."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handler import options
from handler.asks.base import DECIMALS, AskCodec, AskContext
from handler.errors import RequestError, allow_fields
from handler.schema_terms import Schema, array_of, object_of
from model.asks import SimilarAnswer, SimilarAsk

SIMILAR_FIELDS = frozenset({"similar", "exclude", "fields"})
# So many lists of neighbours are kept as they are sent, 1 KiB each with ten neighbours.
_KEPT_LISTS = 2_048


class SimilarCodec(AskCodec[SimilarAsk, SimilarAnswer]):
    """Neighbours of one movie."""

    name = "similar"
    answer_name = "similar"
    marks = ("similar",)

    def __init__(self, context: AskContext) -> None:
        super().__init__(context)
        self._allowed = SIMILAR_FIELDS | {context.words.item_id, context.words.tags}
        self._kept: dict[tuple[int, int], list[dict[str, Any]]] = {}

    def decode_item(self, item: Mapping[str, Any], prefix: str) -> SimilarAsk:
        """The movie, and how its neighbours are chosen."""
        words = self.context.words
        if not self.context.compared:
            told = f"this model has no vectors of {words.items}: it was adopted without two towers and without VECTORS"
            raise RequestError(f"{prefix}similar: {told}")
        allow_fields(item, self._allowed, prefix)
        context = self.context
        return SimilarAsk(
            context.fields.movie_id(item, prefix),
            options.count(item["similar"], f"{prefix}similar", context.settings.max_top_k),
            options.genres(item.get(words.tags, []), f"{prefix}{words.tags}", context.catalogue),
            context.fields.movie_ids(item.get("exclude", []), f"{prefix}exclude"),
            self.context.decode_fields(item.get("fields", []), f"{prefix}fields"),
        )

    def encode_answer(self, ask: SimilarAsk, answer: SimilarAnswer) -> dict[str, Any]:
        """The movie, and its neighbours, the most alike first."""
        name = self.context.words.item_id
        found: dict[str, Any] = {name: ask.movie_id}
        if not answer.movie_known:
            found["similar"] = []
            self.context.unknown.flag(found, [name], found)
            return found
        found |= self.context.shown(answer.own_row, ask.fields)
        found["similar"] = self._neighbours(ask, answer)
        return found

    def _neighbours(self, ask: SimilarAsk, answer: SimilarAnswer) -> list[dict[str, Any]]:
        """The neighbours as objects; most asks have no options, so lists without options are kept."""
        if ask.genres or ask.exclude or ask.fields:
            return self._write(ask, answer)
        key = answer.own_row, ask.number
        if key not in self._kept:
            if len(self._kept) >= _KEPT_LISTS:
                self._kept.clear()
            self._kept[key] = self._write(ask, answer)
        return self._kept[key]

    def _write(self, ask: SimilarAsk, answer: SimilarAnswer) -> list[dict[str, Any]]:
        name = self.context.words.item_id
        cosines = answer.cosines.astype(float).round(DECIMALS).tolist()
        return [
            {name: movie_id, "similarity": cosine} | self.context.shown(row, ask.fields)
            for movie_id, row, cosine in zip(answer.movie_ids, answer.movie_index.tolist(), cosines, strict=True)
        ]

    def num_pairs(self, ask: SimilarAsk) -> int:  # noqa: ARG002  every kind is asked
        """The movie is compared with every other one, which costs about as much as rating them."""
        return self.context.catalogue.num_movies

    def request_schema(self) -> Schema:
        """The movie, and options."""
        settings, words = self.context.settings, self.context.words
        optional = {
            words.tags: array_of(self.context.terms.genre),
            "exclude": array_of(self.context.terms.movie, settings.max_pairs),
            "fields": self.context.fields_schema(),
        }
        return object_of(
            {words.item_id: self.context.terms.movie, "similar": options.count_schema(settings.max_top_k)}, optional
        )

    def answer_schema(self) -> Schema:
        """The movie, and `similar`."""
        shown, name = self.context.catalogue_schema(), self.context.words.item_id
        cosine = {"type": "number", "minimum": -1.00001, "maximum": 1.00001}
        neighbour = object_of({name: self.context.terms.movie, "similarity": cosine}, shown)
        required = {name: self.context.terms.movie, "similar": array_of(neighbour)}
        return object_of(required, {**shown, "unknown": self.context.terms.unknown})
