"""`{"user_id": ..., "top_k": 10}` or `{"user_id": ..., "movie_ids": [...]}`: the best movies for a user."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handler import options
from handler.asks.base import DECIMALS, AskContext, UserAskCodec
from handler.errors import RequestError, shown
from handler.schema_terms import NUMBER, Schema, array_of, object_of, ref
from model.asks import BestAnswer, BestAsk, RawId
from model.ranking import RANKINGS, RankBy

BEST_FIELDS = frozenset({"user_id", "top_k", "exclude_seen", "exclude", "rank_by", "novelty", "fields"})


class BestCodec(UserAskCodec[BestAsk, BestAnswer]):
    """Recommendations: of the whole catalogue, or of the movies that the client names."""

    name = "best"
    answer_name = "best"
    marks = ()

    def __init__(self, context: AskContext) -> None:
        super().__init__(context)
        self._allowed = BEST_FIELDS | {context.words.item_ids, context.words.tags}

    def decode_for(self, user_id: RawId | None, item: Mapping[str, Any], prefix: str) -> BestAsk:
        """This user's best movies, as the other fields choose them."""
        words = self.context.words
        self.allow(item, self._allowed, prefix)
        if words.item_ids not in item and "top_k" not in item:
            raise RequestError(f"{prefix}{words.item_id}: missing or null (or {words.item_ids}, or top_k)")
        fields = self.context.fields
        movie_ids = None
        if words.item_ids in item:
            movie_ids = fields.movie_ids(item[words.item_ids], f"{prefix}{words.item_ids}")
        top_k = None
        if "top_k" in item:
            top_k = options.count(item["top_k"], f"{prefix}top_k", self.context.settings.max_top_k)
        exclude_seen = item.get("exclude_seen", movie_ids is None)
        if type(exclude_seen) is not bool:
            raise RequestError(f"{prefix}exclude_seen: expected true or false, got {shown(exclude_seen)}")
        genres, exclude, shown_fields = self._lists(item, prefix)
        rank_by = self._rank_by(item, prefix)
        novelty = self._novelty(item["novelty"], f"{prefix}novelty") if "novelty" in item else 0.0
        return BestAsk(user_id, movie_ids, top_k, exclude_seen, genres, exclude, rank_by, novelty, shown_fields)

    def encode_answer(self, ask: BestAsk, answer: BestAnswer) -> dict[str, Any]:
        """The movies, highest score first, with their titles and genres."""
        catalogue = self.context.catalogue
        name = self.context.words.item_id
        ratings = answer.ratings.round(DECIMALS).tolist()
        scores = answer.scores.round(DECIMALS).tolist()
        rows = answer.movie_index.tolist()
        items = []
        for movie_id, row, rating, score in zip(answer.movie_ids, rows, ratings, scores, strict=True):
            item = {name: movie_id, "rating": rating, "score": score}
            if row == catalogue.num_movies:
                self.context.unknown.flag(item, [name], item)
            else:
                item |= self.context.shown(row, ask.fields)
            items.append(item)
        found: dict[str, Any] = {"user_id": ask.user_id, "recommendations": items}
        if not answer.user_known:
            self.context.unknown.flag(found, ["user_id"], found)
        return found

    def num_pairs(self, ask: BestAsk) -> int:
        """One for each candidate; filters may leave fewer."""
        return self.context.catalogue.num_movies if ask.movie_ids is None else len(ask.movie_ids)

    def schema_for(self, required: Schema, optional: Schema) -> Schema:
        """The user's fields, and at least one of `movie_ids` and `top_k`."""
        settings, words = self.context.settings, self.context.words
        movie_ids = array_of(self.context.terms.movie, settings.max_pairs)
        fields = {
            words.item_ids: movie_ids,
            "top_k": options.count_schema(settings.max_top_k),
            "exclude_seen": {"type": "boolean"},
            words.tags: array_of(self.context.terms.genre),
            "exclude": movie_ids,
            "rank_by": {"enum": list(self._rankings())},
            "fields": self.context.fields_schema(),
        }
        if self.context.ranked:
            fields["novelty"] = {"type": "number", "minimum": 0, "maximum": 1}
        best = object_of(required, {**optional, **fields})
        return {**best, "anyOf": [{"required": [words.item_ids]}, {"required": ["top_k"]}]}

    def answer_schema(self) -> Schema:
        """The user, and `recommendations`; a fold-in user may have no `user_id`."""
        terms = self.context.terms
        rated = {self.context.words.item_id: self.context.terms.movie, "rating": terms.rating, "score": NUMBER}
        recommended = object_of(rated, {**self.context.catalogue_schema(), "unknown": terms.unknown})
        optional = {"user_id": ref("user_id"), "unknown": terms.unknown}
        return object_of({"recommendations": array_of(recommended)}, optional)

    def _lists(self, item: Mapping[str, Any], prefix: str) -> tuple[list[str], list[RawId], list[str]]:
        """The fields that choose genres, movies to leave out, and columns to show; most requests have none of them."""
        context, tags = self.context, self.context.words.tags
        genres = options.genres(item[tags], f"{prefix}{tags}", context.catalogue) if tags in item else []
        exclude = context.fields.movie_ids(item["exclude"], f"{prefix}exclude") if "exclude" in item else []
        fields = context.decode_fields(item["fields"], f"{prefix}fields") if "fields" in item else []
        return genres, exclude, fields

    def _rankings(self) -> tuple[RankBy, ...]:
        """What may sort the movies: without an interest part, the rating alone."""
        return RANKINGS if self.context.ranked else ("rating",)

    def _rank_by(self, item: Mapping[str, Any], prefix: str) -> RankBy:
        """What the client chose; else the blend for the whole catalogue, and the rating for movies that it names."""
        allowed = self._rankings()
        if "rank_by" not in item:
            return "rating" if self.context.words.item_ids in item else allowed[0]
        for name in allowed:
            if item["rank_by"] == name:
                return name
        raise RequestError(f"{prefix}rank_by: got {shown(item['rank_by'])}, allowed: {', '.join(allowed)}")

    def _novelty(self, value: object, where: str) -> float:
        most = 1 if self.context.ranked else 0
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
            why = "" if most else " (this model has no interest part)"
            raise RequestError(f"{where}: expected a number from 0 to {most}, got {shown(value)}{why}")
        return float(value)
