"""`"ratings": [...]` and `"events": [...]` beside an ask about a user: the client sends ratings and events along.

Ratings fold the user in. Events are ids of movies that the user chose without rating them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from handler.asks.base import EVENTS, RATINGS, AskCodec, AskContext, UserAskCodec
from handler.body import without_nulls
from handler.errors import RequestError, allow_fields, expect_list, shown, too_large
from handler.own_words import with_own_words
from handler.schema_terms import Schema, any_of, array_of, object_of, ref, sent
from model.asks import FoldInAnswer, FoldInAsk


class FoldInCodec(AskCodec[FoldInAsk, FoldInAnswer]):
    """One kind of ask about a user, with `ratings`, `events` or both beside its own fields.

    `kind`: of the ask without them.
    """

    name = "fold_in"
    marks = (RATINGS, EVENTS)

    def __init__(self, context: AskContext, kind: UserAskCodec[Any, Any]) -> None:
        super().__init__(context)
        self.answer_name = kind.answer_name
        self._kind = kind
        self._rating_fields = frozenset({context.words.item_id, "rating"})

    def decode_item(self, item: Mapping[str, Any], prefix: str) -> FoldInAsk:
        """The ask inside, ratings and events; of a movie that is rated twice the last rating counts."""
        ratings = self._decode_ratings(item[RATINGS], f"{prefix}{RATINGS}") if RATINGS in item else None
        events = self._decode_events(item[EVENTS], f"{prefix}{EVENTS}") if EVENTS in item else ()
        others = {name: value for name, value in item.items() if name not in self.marks}
        user_id = self.context.fields.user_id(item, prefix) if "user_id" in item else None
        ask = self._kind.decode_for(user_id, others, prefix)
        if ratings is None:
            return FoldInAsk(ask, (), None, events)
        return FoldInAsk(ask, list(ratings), list(ratings.values()), events)

    def encode_answer(self, ask: FoldInAsk, answer: FoldInAnswer) -> dict[str, Any]:
        """The answer of the ask inside. `unknown` also names sent ratings and events of unknown movies."""
        found = self._kind.encode_answer(ask.ask, answer.answer)
        if ask.ask.user_id is None:
            del found["user_id"]
        item_id = self.context.words.item_id
        unknown = {f"{RATINGS}[{place}].{item_id}": ask.movie_ids[place] for place in _unknown(answer.movies_known)}
        unknown |= {f"{EVENTS}[{place}]": ask.events[place] for place in _unknown(answer.events_known)}
        if unknown:
            self.context.unknown.flag(found, [*found.pop("unknown", []), *unknown], {**found, **unknown})
        return found

    def num_pairs(self, ask: FoldInAsk) -> int:
        """As many as for the ask inside."""
        return self._kind.num_pairs(ask.ask)

    def request_schema(self) -> Schema:
        """The fields of the ask inside, with `ratings` or `events`; `user_id` may be absent."""
        most = self.context.settings.max_ratings
        scale = self.context.scale
        number = {"type": "number", "minimum": scale.minimum, "maximum": scale.maximum}
        rating = sent(object_of({self.context.words.item_id: self.context.terms.movie, "rating": number}))
        ratings: Schema = {RATINGS: array_of(rating, most)} if self.context.takes_ratings else {}
        events: Schema = {EVENTS: array_of(self.context.terms.movie, most)} if self.context.ranked else {}
        user: Schema = {"user_id": ref("user_id")}
        found = [self._kind.schema_for(ratings, {**events, **user})] if ratings else []
        return any_of([*found, *([self._kind.schema_for(events, user)] if events else [])])

    def answer_schema(self) -> Schema:
        """The same as without ratings and events."""
        return self._kind.answer_schema()

    def _decode_ratings(self, values: object, where: str) -> dict[Any, float]:
        """Raw movie ids with their ratings, in rating units."""
        if not self.context.takes_ratings:
            raise RequestError(f"{where}: this model's network takes no new ratings; train one with the default preset")
        found = self._limited(values, where)
        return dict(self._decode_rating(item, f"{where}[{place}]") for place, item in enumerate(found))

    def _decode_events(self, values: object, where: str) -> list[Any]:
        """Raw movie ids."""
        if not self.context.ranked:
            raise RequestError(f"{where}: this model has no interest part, and events change nothing else")
        return self.context.fields.movie_ids(self._limited(values, where), where)

    def _limited(self, values: object, where: str) -> list[Any]:
        found = expect_list(values, where)
        most = self.context.settings.max_ratings
        if len(found) > most:
            raise too_large(where, len(found), "entries", most)
        return found

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


def _unknown(known: np.ndarray) -> list[int]:
    """The places (P,) of the movies that the model does not know."""
    places: list[int] = np.flatnonzero(~known).tolist()
    return places
