"""TorchServe's entry point. Exactly one class may stand in this file: TorchServe takes the one it finds."""

from __future__ import annotations

import logging
import os
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import torch
from ts.context import Context

from handler import wire
from handler.codec import Codec
from handler.errors import RequestError
from handler.json_codec import JsonCodec
from handler.oip_codec import OipCodec
from handler.request import Incoming, Reply, Request
from handler.settings import HandlerSettings
from handler.worker_metrics import WorkerMetrics
from model.artifact import load_artifact
from model.asks import Answer, BestAnswer, ColumnsAnswer
from model.predictor import Predictor

logger = logging.getLogger(__name__)


class NCFHandler:
    """Answers a dynamic batch: decode each request, one predictor call for all, encode each answer."""

    predictor: Predictor
    codec: Codec
    metrics: WorkerMetrics

    def initialize(self, context: Context) -> None:
        """Loads the artifact named in the manifest, onto the worker's GPU where it has one, and warms up."""
        torch.set_num_threads(1)  # workers are the parallelism: threads of one would stall the others
        properties, manifest = context.system_properties, context.manifest["model"]
        settings = HandlerSettings.from_mapping((context.model_yaml_config or {}).get("handler"))
        device = _device(properties.get("gpu_id"))
        artifact = load_artifact(Path(properties["model_dir"]) / manifest["serializedFile"], device)
        ids = (artifact.user_ids, artifact.movie_ids)
        name, version = str(context.model_name), str(manifest.get("modelVersion", ""))
        self.predictor = Predictor(artifact, device)
        self.codec = Codec(
            JsonCodec(*ids, artifact.catalogue, settings), OipCodec(*ids, settings, name, version), settings
        )
        self.metrics = WorkerMetrics(context.metrics, name, settings.metrics_interval_s)
        self._warm_up()
        if settings.fast_wire:
            wire.install(self)
        logger.info("serving version %s on %s, rating scale %s", version, device, artifact.scale)
        logging.getLogger().setLevel(logging.WARNING)  # TorchServe's own code logs a line for every batch

    def handle(self, data: list[dict[str, Any]], context: Context) -> list[bytes]:
        """TorchServe's way in: one row of `data` per client -> one body each, status and headers in the context."""
        incoming = [Incoming(row, context.get_all_request_header(place)) for place, row in enumerate(data)]
        replies = self.answer(incoming)
        for place, reply in enumerate(replies):
            context.set_response_status(reply.status, "", place)
            for name, value in reply.headers.items():
                context.set_response_header(place, name, value)
        return [reply.body for reply in replies]

    def answer(self, incoming: Sequence[Incoming]) -> list[Reply]:
        """One reply for each request of a batch, in order. No client's input fails another's."""
        if incoming and incoming[0].headers.get("describe") == "True":
            return [Reply(orjson.dumps(self.predictor.metadata))]
        started = time.perf_counter()
        requests = [self._decode(one) for one in incoming]
        decoded = time.perf_counter()
        answers = self._predict([ask for one in requests if isinstance(one, Request) for ask in one.asks])
        predicted = time.perf_counter()
        replies, start = [], 0
        for request in requests:
            end = start + (len(request.asks) if isinstance(request, Request) else 0)
            replies.append(self._encode(request, answers[start:end]))
            start = end
        spent = (decoded - started, predicted - decoded, time.perf_counter() - predicted)
        self._count(requests, replies, answers, spent)
        return replies

    def _decode(self, incoming: Incoming) -> Request | RequestError:
        try:
            return self.codec.decode(incoming)
        except RequestError as error:
            return error

    def _predict(self, asks: list[Any]) -> list[Answer]:
        try:
            return self.predictor.answer(asks)
        except torch.AcceleratorError:
            # After such an error every later call on this GPU fails too; the front end starts a new worker.
            logger.critical("the accelerator failed, the worker ends itself", exc_info=True)
            os._exit(1)

    def _encode(self, request: Request | RequestError, answers: Sequence[Answer]) -> Reply:
        if isinstance(request, RequestError):
            return request.to_reply()
        try:
            return request.encode(answers)
        except RequestError as error:
            return error.to_reply()

    def _count(
        self,
        requests: Sequence[Request | RequestError],
        replies: Sequence[Reply],
        answers: Sequence[Answer],
        spent: tuple[float, float, float],
    ) -> None:
        outcomes = Counter(
            (request.kind if isinstance(request, Request) else "undecoded", str(reply.status))
            for request, reply in zip(requests, replies, strict=True)
        )
        pairs, unknown = 0, 0
        for answer in answers:
            if isinstance(answer, ColumnsAnswer):
                pairs += len(answer.ratings)
                unknown += 2 * len(answer.ratings) - int(answer.users_known.sum() + answer.movies_known.sum())
            elif isinstance(answer, BestAnswer):
                pairs += len(answer.ratings)
                unknown += not answer.user_known
            else:
                pairs += 1
                unknown += (not answer.user_known) + (not answer.movie_known)
        self.metrics.count_batch(outcomes, pairs, unknown, spent)

    def _warm_up(self) -> None:
        """Runs the network at several sizes, so that the first client does not wait for its compiler."""
        for size in (1, 1, 2, 64, 64, 600):
            users = np.full(size, self.predictor.user_ids.unknown)
            self.predictor.scorer.rate(users, np.full(size, self.predictor.movie_ids.unknown))


def _device(gpu_id: int | None) -> str:
    return f"cuda:{gpu_id}" if gpu_id is not None and torch.cuda.is_available() else "cpu"
