"""Puts the faster reader and writer of frames in the place of TorchServe's own, in a worker's process."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import ts
from ts.protocol import otf_message_handler
from ts.service import Service

from handler.frames import Frame, FrameReader, write_frame
from handler.request import Request, Response

logger = logging.getLogger(__name__)

TORCHSERVE_VERSION = "0.12.0"


class Answering(Protocol):
    """What a service must be to be reached directly. `headers` go with every response, beside its own."""

    headers: Mapping[str, str]

    def answer(self, requests: Sequence[Request]) -> list[Response]:
        """One response for each request, in order."""


def install(service: Answering) -> bool:
    """Replaces TorchServe's reader and writer in this process; False if this is another version of TorchServe."""
    if ts.__version__ != TORCHSERVE_VERSION:
        logger.warning("fast_wire is for TorchServe %s, this is %s: not used", TORCHSERVE_VERSION, ts.__version__)
        return False
    reader = FrameReader()
    original = Service.predict

    def predict(torchserve: Service, batch: Any) -> bytes | bytearray:
        if type(batch) is not Frame:
            answer: bytes | bytearray = original(torchserve, batch)
            return answer
        try:
            return write_frame(batch, service.answer(batch.requests), service.headers)
        except Exception:
            logger.exception("a batch of %d requests failed", len(batch.ids))
            ids = {place: sized_id[4:].decode() for place, sized_id in enumerate(batch.ids)}
            failed: bytearray = otf_message_handler.create_predict_response(None, ids, "Prediction failed", 503)
            return failed

    otf_message_handler._retrieve_inference_msg = reader.read
    Service.predict = predict
    return True
