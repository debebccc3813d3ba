"""TorchServe's entry point. Exactly one class may stand in this file: TorchServe takes the one it finds."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import torch
from ts.context import Context

from handler.body import parse_body
from handler.codec import Codec, Request
from handler.errors import RequestError
from handler.settings import HandlerSettings
from model.artifact import load_artifact
from model.asks import Answer, Ask
from model.predictor import Predictor

logger = logging.getLogger(__name__)


class NCFHandler:
    """Answers a dynamic batch: decode each request, one predictor call for all, encode each answer."""

    predictor: Predictor
    codec: Codec

    def initialize(self, context: Context) -> None:
        """Loads the artifact named in the manifest, onto the worker's GPU where it has one, and warms up."""
        torch.set_num_threads(1)  # workers are the parallelism: threads of one would stall the others
        properties = context.system_properties
        settings = HandlerSettings.from_mapping((context.model_yaml_config or {}).get("handler"))
        device = _device(properties.get("gpu_id"))
        path = Path(properties["model_dir"]) / context.manifest["model"]["serializedFile"]
        artifact = load_artifact(path, device)
        self.predictor = Predictor(artifact, device)
        self.codec = Codec(artifact.user_ids, artifact.movie_ids, artifact.catalogue, settings)
        self._warm_up()
        logger.info("serving %s on %s, rating scale %s", path.name, device, artifact.scale)
        logging.getLogger().setLevel(logging.WARNING)  # TorchServe's own code logs a line for every batch

    def handle(self, data: list[dict[str, Any]], context: Context) -> list[bytes]:
        """One row of `data` per client -> one body per client, each with its own status and content type."""
        if data and context.get_request_header(0, "describe") == "True":
            return [orjson.dumps(self.predictor.metadata)]
        requests = [self._decode(row) for row in data]
        answers = iter(self._answer([ask for request in requests for ask in _asked(request)]))
        bodies = []
        for index, request in enumerate(requests):
            body = self._encode(request, answers)
            if isinstance(body, RequestError):
                context.set_response_status(body.code, "", index)
                body = orjson.dumps(body.to_dict())
            context.set_response_content_type(index, "application/json")
            bodies.append(body)
        return bodies

    def _decode(self, row: dict[str, Any]) -> Request | RequestError:
        try:
            return self.codec.decode(parse_body(row))
        except RequestError as error:
            return error

    def _answer(self, asks: list[Ask]) -> list[Answer]:
        try:
            return self.predictor.answer(asks)
        except torch.AcceleratorError:
            # After such an error every later call on this GPU fails too; the front end starts a new worker.
            logger.critical("the accelerator failed, the worker ends itself", exc_info=True)
            os._exit(1)

    def _encode(self, request: Request | RequestError, answers: Iterator[Answer]) -> bytes | RequestError:
        if isinstance(request, RequestError):
            return request
        slots = [ask if isinstance(ask, RequestError) else next(answers) for ask in request.asks]
        try:
            return self.codec.encode(request, slots)
        except RequestError as error:
            return error

    def _warm_up(self) -> None:
        """Runs the network at several sizes, so that the first client does not wait for its compiler."""
        for size in (1, 1, 2, 64, 64):
            users = np.full(size, self.predictor.user_ids.unknown)
            self.predictor.rate(users, np.full(size, self.predictor.movie_ids.unknown))


def _device(gpu_id: int | None) -> str:
    return f"cuda:{gpu_id}" if gpu_id is not None and torch.cuda.is_available() else "cpu"


def _asked(request: Request | RequestError) -> list[Ask]:
    asks = [] if isinstance(request, RequestError) else request.asks
    return [ask for ask in asks if not isinstance(ask, RequestError)]
