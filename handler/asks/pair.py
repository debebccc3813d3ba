"""`{"user_id": ..., "movie_id": ...}`: one user's rating of one movie."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from handler.asks.base import DECIMALS, AskContext, UserAskCodec
from handler.errors import RequestError
from handler.id_fields import are_ids
from handler.schema_terms import Schema, object_of, ref
from model.asks import ColumnsAnswer, ColumnsAsk, PairAnswer, PairAsk, RawId
from model.vocabulary import ITEM_ID


class PairCodec(UserAskCodec[PairAsk, PairAnswer]):
    """Single pairs, and lists of them."""

    name = "pair"
    answer_name = "pair"
    marks = (ITEM_ID,)

    def __init__(self, context: AskContext) -> None:
        super().__init__(context)
        self.item_id = context.words.item_id
        self.marks = (self.item_id,)
        self.types = (context.fields.user_type, context.fields.movie_type)

    def decode_for(self, user_id: RawId | None, item: Mapping[str, Any], prefix: str) -> PairAsk:
        """The pair of this user and the field `movie_id`."""
        self.allow(item, self.context.id_fields, prefix)
        return PairAsk(user_id, self.context.fields.movie_id(item, prefix))

    def encode_answer(self, ask: PairAsk, answer: PairAnswer) -> dict[str, Any]:
        """The pair with its rating."""
        rating, user_known, movie_known = answer
        found = {"user_id": ask.user_id, self.item_id: ask.movie_id, "rating": round(rating, DECIMALS)}
        if not (user_known and movie_known):
            self.context.unknown.flag_pair(found, user_known, movie_known)
        return found

    def num_pairs(self, ask: PairAsk) -> int:  # noqa: ARG002  every kind is asked
        """One."""
        return 1

    def schema_for(self, required: Schema, optional: Schema) -> Schema:
        """The user's fields, and `movie_id`."""
        return object_of({**required, self.item_id: self.context.terms.movie}, optional)

    def answer_schema(self) -> Schema:
        """The pair with its rating; a fold-in user may have no `user_id`."""
        terms = self.context.terms
        rated = {self.item_id: self.context.terms.movie, "rating": terms.rating}
        return object_of(rated, {"user_id": ref("user_id"), "unknown": terms.unknown})

    def decode_plain(self, item: dict[str, Any]) -> PairAsk | None:
        """An item with two good ids and nothing else, as most are; None if it must be looked at more closely."""
        user_type, movie_type = self.types
        user_id, movie_id = item.get("user_id"), item.get(self.item_id)
        if len(item) == 2 and are_ids([user_id], user_type) and are_ids([movie_id], movie_type):
            return PairAsk(user_id, cast(RawId, movie_id))
        return None

    def decode_columns(self, items: list[Any]) -> ColumnsAsk | None:
        """Items that are all plain pairs, as columns; None if one is not, since each must then be decoded by itself."""
        name = self.item_id
        try:
            users = [item["user_id"] for item in items]
            movies = [item[name] for item in items]
        except (KeyError, TypeError):
            return None
        user_type, movie_type = self.types
        plain = set(map(len, items)) == {2} and are_ids(users, user_type) and are_ids(movies, movie_type)
        return ColumnsAsk(users, movies) if plain else None

    def encode_columns(self, ask: ColumnsAsk, answer: ColumnsAnswer) -> list[dict[str, Any]]:
        """One answer per pair; a pair that the policy refuses gets its error."""
        name = self.item_id
        ratings = answer.ratings.round(DECIMALS).tolist()
        if answer.users_known.all() and answer.movies_known.all():
            return [
                {"user_id": user_id, name: movie_id, "rating": rating}
                for user_id, movie_id, rating in zip(ask.user_ids, ask.movie_ids, ratings, strict=True)
            ]
        asks = map(PairAsk, ask.user_ids, ask.movie_ids)
        answers = map(PairAnswer, ratings, answer.users_known.tolist(), answer.movies_known.tolist())
        return [self._encode_or_refuse(*pair) for pair in zip(asks, answers, strict=True)]

    def _encode_or_refuse(self, ask: PairAsk, answer: PairAnswer) -> dict[str, Any]:
        try:
            return self.encode_answer(ask, answer)
        except RequestError as error:
            return {"error": error.to_dict()}
