"""`"ratings": [...]` beside an ask about a user: the user is folded in from ratings that the client sends along."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handler.asks.base import AskCodec, AskContext, UserAskCodec
from handler.body import without_nulls
from handler.errors import RequestError, allow_fields, expect_list, shown, too_large
from handler.own_words import with_own_words
from handler.schema_terms import Schema, array_of, object_of, ref, sent
from model.asks import FoldInAnswer, FoldInAsk

RATINGS = "ratings"


class FoldInCodec(AskCodec[FoldInAsk, FoldInAnswer]):
    """One kind of ask about a user, with `ratings` beside its own fields.

    `kind`: of the ask without `ratings`; `can_encode`: whether the model's network takes ratings.
    """

    name = "fold_in"
    marks = (RATINGS,)

    def __init__(self, context: AskContext, kind: UserAskCodec[Any, Any], can_encode: bool) -> None:
        super().__init__(context)
        self.answer_name = kind.answer_name
        self._kind = kind
        self._can_encode = can_encode
        self._rating_fields = frozenset({context.words.item_id, "rating"})

    def decode_item(self, item: Mapping[str, Any], prefix: str) -> FoldInAsk:
        """The ask inside, and the ratings; of a movie that is rated twice the last rating counts."""
        ratings = self._decode_ratings(item[RATINGS], f"{prefix}{RATINGS}")
        others = {name: value for name, value in item.items() if name != RATINGS}
        user_id = self.context.fields.user_id(item, prefix) if "user_id" in item else None
        ask = self._kind.decode_for(user_id, others, prefix)
        return FoldInAsk(ask, list(ratings), list(ratings.values()))

    def encode_answer(self, ask: FoldInAsk, answer: FoldInAnswer) -> dict[str, Any]:
        """The answer of the ask inside; `unknown` names the ratings of movies that the model does not know too."""
        found = self._kind.encode_answer(ask.ask, answer.answer)
        if ask.ask.user_id is None:
            del found["user_id"]
        places = [place for place, known in enumerate(answer.movies_known.tolist()) if not known]
        if places:
            unknown = {f"{RATINGS}[{place}].{self.context.words.item_id}": ask.movie_ids[place] for place in places}
            self.context.unknown.flag(found, [*found.pop("unknown", []), *unknown], {**found, **unknown})
        return found

    def num_pairs(self, ask: FoldInAsk) -> int:
        """As many as for the ask inside."""
        return self._kind.num_pairs(ask.ask)

    def request_schema(self) -> Schema:
        """The fields of the ask inside, with `ratings`; `user_id` may be absent."""
        scale = self.context.scale
        number = {"type": "number", "minimum": scale.minimum, "maximum": scale.maximum}
        rating = sent(object_of({self.context.words.item_id: self.context.terms.movie, "rating": number}))
        ratings = {RATINGS: array_of(rating, self.context.settings.max_ratings)}
        return self._kind.schema_for(ratings, {"user_id": ref("user_id")})

    def answer_schema(self) -> Schema:
        """The same as without `ratings`."""
        return self._kind.answer_schema()

    def _decode_ratings(self, values: object, where: str) -> dict[Any, float]:
        """Raw movie ids with their ratings, in rating units."""
        if not self._can_encode:
            raise RequestError(f"{where}: this model's network takes no new ratings; train one with the default preset")
        found = expect_list(values, where)
        most = self.context.settings.max_ratings
        if len(found) > most:
            raise too_large(where, len(found), "entries", most)
        return dict(self._decode_rating(item, f"{where}[{place}]") for place, item in enumerate(found))

    def _decode_rating(self, item: object, where: str) -> tuple[Any, float]:
        if not isinstance(item, dict):
            raise RequestError(f"{where}: expected an object, got {shown(item)}")
        item = with_own_words(without_nulls(item), f"{where}.", self.context.words)
        allow_fields(item, self._rating_fields, f"{where}.")
        for name in sorted(self._rating_fields):
            if name not in item:
                raise RequestError(f"{where}.{name}: missing or null")
        movie_id = self.context.fields.movie_id(item, f"{where}.")
        rating = item["rating"]
        low = self.context.scale.minimum
        high = self.context.scale.maximum
        if type(rating) not in (int, float) or not low <= rating <= high:
            raise RequestError(f"{where}.rating: expected a number from {low:g} to {high:g}, got {shown(rating)}")
        return movie_id, float(rating)
