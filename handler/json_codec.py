"""JSON bodies: one item, or many in `instances`, each of which is answered or refused by itself.

Answers are written as compact bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, cast

import orjson

from handler.asks.base import DecodedItem
from handler.errors import RequestError, allow_fields, expect_list, too_large
from handler.json_asks import JsonAsks
from handler.request import DecodedRequest, Response
from handler.settings import HandlerSettings
from handler.string_ids import AS_STRINGS, wants_string_ids
from model.asks import Answer, ColumnsAnswer, ColumnsAsk, PairAnswer, PairAsk

INSTANCES = "instances"
_BODY_FIELDS = frozenset({INSTANCES, AS_STRINGS})


class JsonCodec:
    """Decodes and encodes bodies; `asks` decodes and encodes the items in them."""

    def __init__(self, asks: JsonAsks, settings: HandlerSettings) -> None:
        self._asks = asks
        self._settings = settings

    def decode_body(self, body: dict[str, Any], explain: bool) -> DecodedRequest:
        """A parsed body -> its asks.

        Raises:
            RequestError: the body as a whole cannot be answered.
        """
        if not explain and (ask := self._asks.pair.decode_plain(body)) is not None:
            return DecodedRequest(self._asks.pair.name, [ask], partial(self._encode_pair, ask))
        if INSTANCES not in body:
            item = self._asks.decode_item(body, "", explain)
            return DecodedRequest(item.codec.name, [item.ask], partial(_encode_one, item))
        allow_fields(body, _BODY_FIELDS, "")
        string_ids = wants_string_ids(body, "")
        instances = expect_list(body[INSTANCES], INSTANCES)
        most = self._settings.max_explanations if explain else self._settings.max_pairs
        if len(instances) > most:
            raise too_large(INSTANCES, len(instances), "entries", most)
        columns = None if explain or string_ids else self._asks.pair.decode_columns(instances)
        if columns is not None:
            return DecodedRequest(INSTANCES, [columns], partial(self._encode_columns, columns))
        items = self._decode_instances(instances, explain)
        if string_ids:
            items = [item._replace(string_ids=True) if isinstance(item, DecodedItem) else item for item in items]
        asks = [item.ask for item in items if isinstance(item, DecodedItem)]
        return DecodedRequest(INSTANCES, asks, partial(_encode_many, items, explain))

    def _decode_instances(self, instances: list[Any], explain: bool) -> list[DecodedItem | RequestError]:
        items: list[DecodedItem | RequestError] = []
        most = self._settings.max_pairs
        pairs = 0
        for number, instance in enumerate(instances):
            try:
                item = self._asks.decode_item(instance, f"{INSTANCES}[{number}]", explain)
            except RequestError as error:
                items.append(error)
                continue
            pairs += item.num_pairs()
            if pairs > most and len(instances) > 1:
                raise _too_many(pairs, most, number, len(instances))
            items.append(item)
        return items

    def _encode_pair(self, ask: PairAsk, answers: Sequence[Answer]) -> Response:
        return Response(orjson.dumps(self._asks.pair.encode_answer(ask, cast(PairAnswer, answers[0]))))

    def _encode_columns(self, ask: ColumnsAsk, answers: Sequence[Answer]) -> Response:
        [answer] = answers
        found = self._asks.pair.encode_columns(ask, cast(ColumnsAnswer, answer))
        return Response(orjson.dumps({"predictions": found}))


def _too_many(pairs: int, most: int, before: int, entries: int) -> RequestError:
    """The error of an entry whose pairs are too many with those of the entries `before` it; alone, each is allowed."""
    advice = (
        f"the first {max(before, 1)} of {entries} entries fit, ask for the others in requests of their own, "
        "or score all users without a server: `make score`"
    )
    message = f"{INSTANCES}: {pairs} pairs, at most {most} are allowed: {advice}"
    return RequestError(message, code=413, kind="TooLarge")


def _encode_one(item: DecodedItem, answers: Sequence[Answer]) -> Response:
    return Response(orjson.dumps(item.encode(answers[0])))


def _encode_many(items: Sequence[DecodedItem | RequestError], explain: bool, answers: Sequence[Answer]) -> Response:
    remaining = iter(answers)
    slots = []
    for item in items:
        try:
            if isinstance(item, RequestError):
                raise item
            slots.append(item.encode(next(remaining)))
        except RequestError as error:
            slots.append({"error": error.to_dict()})
    return Response(orjson.dumps({"explanations" if explain else "predictions": slots}))
