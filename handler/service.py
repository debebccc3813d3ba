"""The service: requests in, responses out, for any server. It knows no server and no transport.

Every request of a batch gets its own status. One predictor call answers all of them. No client's input fails another
client's request.
"""

from __future__ import annotations

import logging
import os
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import torch

from handler.about import answers_about, facts_about
from handler.any_requests import AnyRequests, Outcome, asks_of
from handler.asks import ASKS, AskKinds
from handler.asks.base import AskContext
from handler.codec import Codec
from handler.errors import RequestError
from handler.figures import Figures
from handler.json_asks import JsonAsks
from handler.json_codec import JsonCodec
from handler.oip_codec import OipCodec
from handler.page import page_answer
from handler.plain_pairs import NO_PLAIN_REQUESTS, PlainPairs, PlainRequests
from handler.request import DecodedRequest, Request, Response
from handler.request_log import RequestLog
from handler.schema import make_schema
from handler.settings import HandlerSettings
from model.archive import VERSION_HEADER
from model.artifact import Artifact
from model.asks import Answer, Ask, SearchAsk
from model.predictor import Predictor

logger = logging.getLogger(__name__)

# TorchScript compiles the interest in its first two runs.
_WARMING_LISTS = 3
_OVERLOADED = RequestError("too much was asked at once, by this and other clients: ask again", 503, "Overloaded")


class Metrics(Protocol):
    """Where the service counts what it does."""

    def count_batch(
        self, requests: Counter[tuple[str, int]], answers: Sequence[Answer], seconds: tuple[float, float, float]
    ) -> None:
        """Adds one batch: requests by (kind, status), the predictor's answers, seconds to decode, predict, encode."""


class RatingService:
    """Answers batches of requests with one artifact, under one name and version.

    `device` is where the artifact's network lies. `metrics` may be None. `kinds` are the kinds of JSON asks.
    `card` is the model card, and `neighbours` tells what the adapter knows of the other workers; the ask `about` tells
    both.
    """

    def __init__(
        self,
        artifact: Artifact,
        settings: HandlerSettings,
        name: str,
        version: str,
        *,
        device: str = "cpu",
        metrics: Metrics | None = None,
        kinds: AskKinds = ASKS,
        card: str = "",
        neighbours: Callable[[], dict[str, Any]] = dict,
    ) -> None:
        self.predictor = Predictor(artifact, device)
        self._neighbours = neighbours
        self.headers: Mapping[str, str] = {VERSION_HEADER: version}
        """Headers of every response, beside its own."""
        self._settings = settings
        self._metrics = metrics
        self._log = RequestLog(version, settings.max_error_lines_per_s)
        model = self.predictor.model
        self._figures = Figures()
        context = AskContext.of(model, settings, {"model": self._tell_model, "worker": self._tell_worker})
        asks = JsonAsks(context, kinds)
        oip = OipCodec(model, settings, name, version)
        codec = Codec(JsonCodec(asks, settings), oip, settings, model.words)
        schema = make_schema(model, context, asks)
        facts = facts_about(model, artifact.metadata, schema, settings)
        self._facts = {"name": name, "served_version": version, **facts, "card": card}
        about = answers_about(model, artifact.metadata, schema, name, version)
        page = page_answer() if settings.page else None
        self._any = AnyRequests(codec, about, page, self._log, settings.max_answer_bytes)
        self._plain = PlainPairs(asks.pair, settings)

    def answer(self, requests: Sequence[Request]) -> list[Response]:
        """One response for each request of a batch, in order."""
        started = time.perf_counter()
        plain = self._plain.find(requests)
        others = plain.others(len(requests))
        outcomes = [self._any.decode(requests[place]) for place in others]
        decoded = time.perf_counter()
        try:
            answers = self._ask([*plain.asks, *asks_of(outcomes)])
        except Exception:  # each is asked alone, and some become errors
            outcomes, answers = self._ask_alone(requests, dict(zip(others, outcomes, strict=True)))
            plain, others = NO_PLAIN_REQUESTS, list(range(len(requests)))
        predicted = time.perf_counter()
        responses = self._encode(requests, plain, outcomes, answers)
        kinds = [self._plain.kind] * len(requests)
        for place, outcome in zip(others, outcomes, strict=True):
            kinds[place] = outcome.kind if isinstance(outcome, DecodedRequest) else "undecoded"
        counts = Counter(zip(kinds, [response.status for response in responses], strict=True))
        if any(status >= 400 for _, status in counts):
            self._log_failures(requests, responses)
        spent = (decoded - started, predicted - decoded, time.perf_counter() - predicted)
        self._figures.count_batch(counts, sum(spent))
        if self._metrics is not None:
            self._metrics.count_batch(counts, answers, spent)
        return responses

    def warm_up(self) -> None:
        """Asks once what a client may ask, so that the first one does not wait for a compiler or an index."""
        for size in (1, 1, 2, 64, 64, 600):
            users = np.full(size, self.predictor.user_ids.unknown)
            movies = np.full(size, self.predictor.movie_ids.unknown)
            self.predictor.scorer.rate(users, movies)
        [somebody] = self.predictor.user_ids.raw(np.zeros(1, dtype=np.int64))
        for _ in range(_WARMING_LISTS):
            self.predictor.best(somebody, top_k=1)
        self.predictor.answer([SearchAsk("", 1)])

    def _tell_model(self) -> dict[str, Any]:
        return self._facts

    def _tell_worker(self) -> dict[str, Any]:
        return {"served_version": self.headers[VERSION_HEADER], **self._figures.told(), **self._neighbours()}

    def _ask(self, asks: Sequence[Ask]) -> list[Answer]:
        try:
            return self.predictor.answer(asks)
        except torch.AcceleratorError:
            # After such an error every later call on this GPU fails too. The server starts a new process.
            logger.critical("the accelerator failed, the worker ends itself", exc_info=True)
            os._exit(1)

    def _ask_alone(
        self, requests: Sequence[Request], decoded: Mapping[int, Outcome]
    ) -> tuple[list[Outcome], list[Answer]]:
        """What each request asks for, and the answers to all asks; a request whose asks fail becomes an error.

        `decoded`: what is known already, by the request's place.
        """
        outcomes: list[Outcome] = []
        answers: list[Answer] = []
        for place, request in enumerate(requests):
            outcome = decoded[place] if place in decoded else self._any.decode(request)
            try:
                answers += self._ask(asks_of([outcome]))
            except Exception as error:
                outcome = self._any.report_fault(request, error)
            outcomes.append(outcome)
        return outcomes, answers

    def _encode(
        self, requests: Sequence[Request], plain: PlainRequests, outcomes: Sequence[Outcome], answers: Sequence[Answer]
    ) -> list[Response]:
        number = len(plain.asks)
        rated = self._plain.encode(plain, answers[:number])
        if len(rated) == len(requests):
            return self._without_longest(rated)
        others = plain.others(len(requests))
        encoded = self._any.encode([requests[place] for place in others], outcomes, answers[number:])
        responses = dict(zip([*plain.places, *others], [*rated, *encoded], strict=True))
        return self._without_longest([responses[place] for place in range(len(requests))])

    def _log_failures(self, requests: Sequence[Request], responses: Sequence[Response]) -> None:
        for request, response in zip(requests, responses, strict=True):
            if response.status >= 400:
                self._log.write_failure(request, response)

    def _without_longest(self, responses: list[Response]) -> list[Response]:
        """The responses of a batch; errors replace the longest ones until all of them can be sent together."""
        total = sum([len(response.body) for response in responses])
        while total > self._settings.max_batch_bytes:
            longest = max(range(len(responses)), key=lambda place: len(responses[place].body))
            total -= len(responses[longest].body)
            responses[longest] = _OVERLOADED.to_response()
            total += len(responses[longest].body)
        return responses
