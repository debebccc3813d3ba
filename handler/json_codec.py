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
from handler.json_answers import JsonAnswers
from handler.json_asks import JsonAsks
from handler.request import Reply, Request
from handler.settings import HandlerSettings
from model.asks import Answer, Ask, BestAsk, ColumnsAnswer, ColumnsAsk, ExplainAsk, FoldInAsk, PairAsk

INSTANCES = "instances"
KINDS = {PairAsk: "pair", BestAsk: "best", FoldInAsk: "fold_in", ExplainAsk: "explanation"}


class JsonCodec:
    """Decodes and encodes bodies; of one item, `asks` and `answers` do."""

    def __init__(self, asks: JsonAsks, answers: JsonAnswers, settings: HandlerSettings) -> None:
        self._decoder, self._encoder = asks, answers
        self._settings = settings

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
        columns = None if explain else self._decoder.columns(instances)
        if columns is not None:
            return Request(INSTANCES, [columns], partial(self._encode_columns, columns))
        asks = self._asks(instances, explain)
        good = [ask for ask in asks if not isinstance(ask, RequestError)]
        return Request(INSTANCES, good, partial(self._encode_many, asks, "explanations" if explain else "predictions"))

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
            pairs_left -= self._decoder.num_pairs(ask)
            if pairs_left < 0 and len(instances) > 1:
                raise too_large(INSTANCES, self._settings.max_pairs - pairs_left, "pairs", self._settings.max_pairs)
            asks.append(ask)
        return asks

    def _encode_one(self, ask: Ask, answers: Sequence[Answer]) -> Reply:
        return Reply(orjson.dumps(self._encoder.answer(ask, answers[0])))

    def _encode_columns(self, ask: ColumnsAsk, answers: Sequence[Answer]) -> Reply:
        [answer] = answers
        assert isinstance(answer, ColumnsAnswer)
        return Reply(orjson.dumps({"predictions": self._encoder.columns(ask, answer)}))

    def _encode_many(self, asks: Sequence[Ask | RequestError], name: str, answers: Sequence[Answer]) -> Reply:
        left = iter(answers)
        slots = []
        for ask in asks:
            try:
                if isinstance(ask, RequestError):
                    raise ask
                slots.append(self._encoder.answer(ask, next(left)))
            except RequestError as error:
                slots.append({"error": error.to_dict()})
        return Reply(orjson.dumps({name: slots}))
