"""JSON asks and answers: the client's side of the contract <-> the predictor's values.

A body is one item, or many in `instances`, each of which is answered or refused by itself; answers are written as
compact bytes. Nothing here scores anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import orjson

from handler.errors import RequestError, allow_fields, expect_list, too_large
from handler.given_ratings import GivenRatings
from handler.json_answers import JsonAnswers
from handler.json_asks import JsonAsks
from handler.request import Reply, Request
from handler.settings import HandlerSettings
from model.asks import Answer, Ask, BestAsk, ColumnsAnswer, ColumnsAsk, ExplainAsk, FoldInAsk, PairAsk
from model.catalogue import Catalogue
from model.ids import IdMap

INSTANCES = "instances"
KINDS = {PairAsk: "pair", BestAsk: "best", FoldInAsk: "fold_in", ExplainAsk: "explanation"}


class JsonCodec:
    """Decodes and encodes for one model: its id types, its catalogue, its settings."""

    def __init__(
        self,
        user_ids: IdMap,
        movie_ids: IdMap,
        catalogue: Catalogue,
        settings: HandlerSettings,
        given: GivenRatings,
    ) -> None:
        self._catalogue = catalogue
        self._settings = settings
        self._user_type, self._movie_type = user_ids.python_type, movie_ids.python_type
        self._decoder = JsonAsks(user_ids, movie_ids, catalogue, settings, given)
        self._answers = JsonAnswers(catalogue, settings)

    def decode(self, body: dict[str, Any], explain: bool) -> Request:
        """A parsed body -> its asks.

        Raises:
            RequestError: the body as a whole cannot be answered.
        """
        if INSTANCES not in body:
            ask = self._decoder.decode(body, "", explain)
            return Request(KINDS[type(ask)], [ask], partial(self._encode_one, ask))
        allow_fields(body, frozenset({INSTANCES}), "")
        instances = expect_list(body[INSTANCES], INSTANCES)
        most = self._settings.max_explanations if explain else self._settings.max_pairs
        if len(instances) > most:
            raise too_large(INSTANCES, len(instances), "entries", most)
        columns = None if explain else self._columns(instances)
        if columns is not None:
            return Request(INSTANCES, [columns], partial(self._encode_columns, columns))
        asks = self._asks(instances, explain)
        good = [ask for ask in asks if not isinstance(ask, RequestError)]
        return Request(INSTANCES, good, partial(self._encode_many, asks, "explanations" if explain else "predictions"))

    def _columns(self, instances: list[Any]) -> ColumnsAsk | None:
        """Instances that are all plain pairs, as columns; None where one is not, and each must be looked at."""
        try:
            users = [item["user_id"] for item in instances]
            movies = [item["movie_id"] for item in instances]
        except (KeyError, TypeError):
            return None
        plain = set(map(len, instances)) == {2}
        typed = set(map(type, users)) == {self._user_type} and set(map(type, movies)) == {self._movie_type}
        return ColumnsAsk(users, movies) if plain and typed else None

    def _asks(self, instances: list[Any], explain: bool) -> list[Ask | RequestError]:
        asks: list[Ask | RequestError] = []
        pairs_left = self._settings.max_pairs
        for number, item in enumerate(instances):
            where = f"{INSTANCES}[{number}]"
            try:
                ask = self._decoder.decode(item, where, explain)
            except RequestError as error:
                asks.append(error)
                continue
            pairs_left -= self._pairs_of(ask)
            if pairs_left < 0 and len(instances) > 1:
                raise too_large(INSTANCES, self._settings.max_pairs - pairs_left, "pairs", self._settings.max_pairs)
            asks.append(ask)
        return asks

    def _pairs_of(self, ask: Ask) -> int:
        ask = ask.ask if isinstance(ask, FoldInAsk) else ask
        if not isinstance(ask, BestAsk):
            return 1
        return self._catalogue.num_movies if ask.movie_ids is None else len(ask.movie_ids)

    def _encode_one(self, ask: Ask, answers: Sequence[Answer]) -> Reply:
        return Reply(orjson.dumps(self._answers.answer(ask, answers[0])))

    def _encode_columns(self, ask: ColumnsAsk, answers: Sequence[Answer]) -> Reply:
        [answer] = answers
        assert isinstance(answer, ColumnsAnswer)
        return Reply(orjson.dumps({"predictions": self._answers.columns(ask, answer)}))

    def _encode_many(self, asks: Sequence[Ask | RequestError], name: str, answers: Sequence[Answer]) -> Reply:
        left = iter(answers)
        slots = []
        for ask in asks:
            try:
                if isinstance(ask, RequestError):
                    raise ask
                slots.append(self._answers.answer(ask, next(left)))
            except RequestError as error:
                slots.append({"error": error.to_dict()})
        return Reply(orjson.dumps({name: slots}))
