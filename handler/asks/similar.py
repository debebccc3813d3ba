"""`{"movie_id": ..., "similar": 10}`: the movies that are most alike to one movie."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handler import options
from handler.asks.base import DECIMALS, AskCodec
from handler.errors import RequestError, allow_fields
from handler.schema_terms import Schema, array_of, object_of, ref
from model.asks import SimilarAnswer, SimilarAsk

SIMILAR_FIELDS = frozenset({"movie_id", "similar", "genres", "exclude", "fields"})


class SimilarCodec(AskCodec[SimilarAsk, SimilarAnswer]):
    """Neighbours of one movie."""

    name = "similar"
    answer_name = "similar"
    marks = ("similar",)

    def decode_item(self, item: Mapping[str, Any], prefix: str) -> SimilarAsk:
        """The movie, and how its neighbours are chosen."""
        if not self.context.explained:
            raise RequestError(
                f"{prefix}similar: this model has no vectors of movies: it was trained elsewhere, without two towers"
            )
        allow_fields(item, SIMILAR_FIELDS, prefix)
        context = self.context
        return SimilarAsk(
            context.fields.movie_id(item, prefix),
            options.count(item["similar"], f"{prefix}similar", context.settings.max_top_k),
            options.genres(item.get("genres", []), f"{prefix}genres", context.catalogue),
            context.fields.movie_ids(item.get("exclude", []), f"{prefix}exclude"),
            options.fields(item.get("fields", []), f"{prefix}fields", context.catalogue),
        )

    def encode_answer(self, ask: SimilarAsk, answer: SimilarAnswer) -> dict[str, Any]:
        """The movie, and its neighbours, the most alike first."""
        catalogue = self.context.catalogue
        cosines = answer.cosines.astype(float).round(DECIMALS).tolist()
        found: dict[str, Any] = {"movie_id": ask.movie_id}
        if answer.movie_known:
            found |= catalogue.shown(answer.own_row, ask.fields)
        found["similar"] = [
            {"movie_id": movie_id, "similarity": cosine} | catalogue.shown(row, ask.fields)
            for movie_id, row, cosine in zip(answer.movie_ids, answer.movie_index.tolist(), cosines, strict=True)
        ]
        if not answer.movie_known:
            self.context.unknown.flag(found, ["movie_id"], found)
        return found

    def num_pairs(self, ask: SimilarAsk) -> int:  # noqa: ARG002  every kind is asked
        """The movie is compared with every other one, which costs about as much as rating them."""
        return self.context.catalogue.num_movies

    def request_schema(self) -> Schema:
        """The movie, and options."""
        settings = self.context.settings
        optional = {
            "genres": array_of(self.context.terms.genre),
            "exclude": array_of(ref("movie_id"), settings.max_pairs),
            "fields": options.fields_schema(self.context.catalogue),
        }
        return object_of({"movie_id": ref("movie_id"), "similar": options.count_schema(settings.max_top_k)}, optional)

    def answer_schema(self) -> Schema:
        """The movie, and `similar`."""
        shown = self.context.catalogue_schema()
        cosine = {"type": "number", "minimum": -1.00001, "maximum": 1.00001}
        neighbour = object_of({"movie_id": ref("movie_id"), "similarity": cosine}, shown)
        required = {"movie_id": ref("movie_id"), "similar": array_of(neighbour)}
        return object_of(required, {**shown, "unknown": self.context.terms.unknown})
