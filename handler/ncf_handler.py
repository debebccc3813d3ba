"""TorchServe's entry point. Exactly one class may stand in this file: TorchServe takes the one it finds."""

from __future__ import annotations

import logging
import os
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import torch
from ts.context import Context

from handler import wire
from handler.codec import Codec, make_codec
from handler.errors import RequestError, too_large
from handler.request import Incoming, Reply, Request, in_lower_case
from handler.request_log import RequestLog
from handler.schema import make_schema
from handler.settings import HandlerSettings
from handler.worker_metrics import WorkerMetrics
from model.archive import VERSION_HEADER
from model.artifact import load_artifact
from model.asks import Answer
from model.predictor import Predictor

logger = logging.getLogger(__name__)


class NCFHandler:
    """Answers a dynamic batch: decode each request, one predictor call for all, encode each answer."""

    predictor: Predictor
    codec: Codec
    metrics: WorkerMetrics
    log: RequestLog
    settings: HandlerSettings
    headers: Mapping[str, str]
    described: bytes

    def initialize(self, context: Context) -> None:
        """Loads the artifact named in the manifest, onto the worker's GPU where it has one, and warms up."""
        torch.set_num_threads(1)  # workers are the parallelism: threads of one would stall the others
        properties, manifest = context.system_properties, context.manifest["model"]
        settings = HandlerSettings.from_mapping((context.model_yaml_config or {}).get("handler"))
        device = _device(properties.get("gpu_id"))
        artifact = load_artifact(Path(properties["model_dir"]) / manifest["serializedFile"], device)
        name, version = str(context.model_name), str(manifest.get("modelVersion", ""))
        self.predictor = Predictor(artifact, device)
        self.codec = make_codec(artifact, settings, name, version)
        self.headers = {VERSION_HEADER: version}
        about = {**artifact.metadata, "schema": make_schema(artifact, settings), "worker_pid": os.getpid()}
        self.described = orjson.dumps(about)
        self.settings = settings
        self.metrics = WorkerMetrics(context.metrics, name, version, settings.metrics_interval_s)
        self.log = RequestLog(version, settings.max_error_lines_per_s)
        self._warm_up()
        if settings.fast_wire:
            wire.install(self)
        logger.info("serving version %s on %s, rating scale %s", version, device, artifact.scale)
        logging.getLogger().setLevel(logging.WARNING)  # TorchServe's own code logs a line for every batch

    def handle(self, data: list[dict[str, Any]], context: Context) -> list[bytes]:
        """TorchServe's way in: one row of `data` per client -> one body each, status and headers in the context."""
        # TorchServe adds to the headers, which are strings, a dictionary for every field.
        headers = [context.get_all_request_header(place).items() for place in range(len(data))]
        own = [in_lower_case((name, value) for name, value in one if isinstance(value, str)) for one in headers]
        incoming = [Incoming(row, own_headers) for row, own_headers in zip(data, own, strict=True)]
        replies = self.answer(incoming)
        for place, reply in enumerate(replies):
            context.set_response_status(reply.status, "", place)
            for name, value in {**reply.headers, **self.headers}.items():
                context.set_response_header(place, name, value)
        return [reply.body for reply in replies]

    def answer(self, incoming: Sequence[Incoming]) -> list[Reply]:
        """One reply for each request of a batch, in order. No client's input fails another's."""
        started = time.perf_counter()
        requests = [self._decode(one) for one in incoming]
        decoded = time.perf_counter()
        requests, answers = self._predict(incoming, requests)
        predicted = time.perf_counter()
        replies, start = [], 0
        for one, request in zip(incoming, requests, strict=True):
            end = start + (len(request.asks) if isinstance(request, Request) else 0)
            replies.append(self._encode(one, request, answers[start:end]))
            start = end
        replies = self._fit(replies)
        kinds = [one.kind if isinstance(one, Request) else "undecoded" for one in requests]
        outcomes = Counter(zip(kinds, [reply.status for reply in replies], strict=True))
        if any(status >= 400 for _, status in outcomes):
            self._log_failed(incoming, replies)
        replies = [reply if one.headers else reply.for_grpc() for one, reply in zip(incoming, replies, strict=True)]
        spent = (decoded - started, predicted - decoded, time.perf_counter() - predicted)
        self.metrics.count_batch(outcomes, answers, spent)
        return replies

    def _decode(self, incoming: Incoming) -> Request | RequestError:
        # A client can send this header too, with a body; TorchServe's own question has none.
        if incoming.headers.get("describe") == "True" and not incoming.row:
            return Request("describe", [], lambda _: Reply(self.described))
        try:
            return self.codec.decode(incoming)
        except RequestError as error:
            return error
        except Exception as error:
            return self._broke(incoming, error)

    def _predict(
        self, incoming: Sequence[Incoming], requests: list[Request | RequestError]
    ) -> tuple[list[Request | RequestError], list[Answer]]:
        """The answers to all asks at once; where that breaks, each request is asked alone, and some become errors."""
        with suppress(Exception):
            return requests, self._ask([ask for one in requests if isinstance(one, Request) for ask in one.asks])
        kept: list[Request | RequestError] = []
        answers: list[Answer] = []
        for one, request in zip(incoming, requests, strict=True):
            try:
                answers += self._ask(list(request.asks)) if isinstance(request, Request) else []
                kept.append(request)
            except Exception as error:
                kept.append(self._broke(one, error))
        return kept, answers

    def _ask(self, asks: list[Any]) -> list[Answer]:
        try:
            return self.predictor.answer(asks)
        except torch.AcceleratorError:
            # After such an error every later call on this GPU fails too; the front end starts a new worker.
            logger.critical("the accelerator failed, the worker ends itself", exc_info=True)
            os._exit(1)

    def _encode(self, incoming: Incoming, request: Request | RequestError, answers: Sequence[Answer]) -> Reply:
        if isinstance(request, RequestError):
            return request.to_reply()
        try:
            reply = request.encode(answers)
            if len(reply.body) > self.settings.max_answer_bytes:
                raise too_large("answer", len(reply.body), "bytes", self.settings.max_answer_bytes)
            return reply
        except RequestError as error:
            return error.to_reply()
        except Exception as error:
            return self._broke(incoming, error).to_reply()

    def _broke(self, incoming: Incoming, error: Exception) -> RequestError:
        """What a client is told of a fault that is ours; the log has the rest."""
        self.log.broke(incoming, error)
        return RequestError("the server failed on this request; its log tells why", 500, "InternalError")

    def _log_failed(self, incoming: Sequence[Incoming], replies: Sequence[Reply]) -> None:
        for one, reply in zip(incoming, replies, strict=True):
            if reply.status >= 400:
                self.log.failed(one, reply)

    def _fit(self, replies: list[Reply]) -> list[Reply]:
        """Takes back the longest answers of a batch until the rest can be sent; their clients may ask again."""
        total = sum([len(reply.body) for reply in replies])
        while total > self.settings.max_batch_bytes:
            longest = max(range(len(replies)), key=lambda place: len(replies[place].body))
            total -= len(replies[longest].body)
            replies[longest] = _OVERLOADED.to_reply()
            total += len(replies[longest].body)
        return replies

    def _warm_up(self) -> None:
        """Runs the network at several sizes, so that the first client does not wait for its compiler."""
        for size in (1, 1, 2, 64, 64, 600):
            users = np.full(size, self.predictor.user_ids.unknown)
            self.predictor.scorer.rate(users, np.full(size, self.predictor.movie_ids.unknown))


_OVERLOADED = RequestError("too much was asked at once, by this and other clients: ask again", 503, "Overloaded")


def _device(gpu_id: int | None) -> str:
    return f"cuda:{gpu_id}" if gpu_id is not None and torch.cuda.is_available() else "cpu"
