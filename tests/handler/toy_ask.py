"""A kind of ask that the project does not have: at which place would this user's ranking hold this movie?

In the project its values and computation would be `model/asks/place.py`, and its codec `handler/asks/place.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from handler.asks.base import UserAskCodec
from handler.errors import allow_fields
from handler.schema_terms import SIZE, Schema, object_of, ref
from model.asks import Call, RawId, Run, ServedModel, User


class PlaceAnswer(NamedTuple):
    place: int
    candidates: int
    user_known: bool

    def num_pairs(self) -> int:
        return self.candidates

    def num_unknown(self) -> int:
        return int(not self.user_known)


class PlaceAsk(NamedTuple):
    user_id: RawId | None
    movie_id: RawId

    def plan(self, model: ServedModel, call: Call) -> Run[PlaceAnswer]:
        return self.plan_for(model.user(self.user_id), model, call)

    def plan_for(self, user: User, model: ServedModel, call: Call) -> Run[PlaceAnswer]:  # noqa: ARG002
        number = len(model.movie_ids)
        [row] = model.movie_ids.rows([self.movie_id]).tolist()

        def finish(ratings: np.ndarray) -> PlaceAnswer:
            return PlaceAnswer(int(np.count_nonzero(ratings > ratings[row])) + 1, number, user.known)

        return Run(np.full(number, user.row), np.arange(number), finish)


class PlaceCodec(UserAskCodec[PlaceAsk, PlaceAnswer]):
    name = "place"
    answer_name = "place"
    marks = ("place_of",)

    def decode_for(self, user_id: RawId | None, item: Mapping[str, Any], prefix: str) -> PlaceAsk:
        allow_fields(item, frozenset({"user_id", "place_of"}), prefix)
        return PlaceAsk(user_id, self.context.fields.movie_id({"movie_id": item["place_of"]}, prefix))

    def encode_answer(self, ask: PlaceAsk, answer: PlaceAnswer) -> dict[str, Any]:
        found = {"user_id": ask.user_id, "place_of": ask.movie_id, "place": answer.place}
        self.context.unknown.flag(found, [] if answer.user_known else ["user_id"], found)
        return found

    def num_pairs(self, ask: PlaceAsk) -> int:  # noqa: ARG002
        return self.context.catalogue.num_movies

    def schema_for(self, required: Schema, optional: Schema) -> Schema:
        return object_of({**required, "place_of": ref("movie_id")}, optional)

    def answer_schema(self) -> Schema:
        optional = {"user_id": ref("user_id"), "unknown": self.context.terms.unknown}
        return object_of({"place_of": ref("movie_id"), "place": SIZE}, optional)
