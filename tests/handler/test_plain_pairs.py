"""A batch is answered as if no request were plain: the same bytes, statuses, counts and log lines."""

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler.plain_pairs import NO_PLAIN_REQUESTS
from handler.request import Request
from handler.rows import lower_case_names, to_request
from handler.service import RatingService
from handler.settings import HandlerSettings
from model.artifact import Artifact
from model.asks import Answer
from tests.conftest import MOVIE_IDS, USER_IDS
from tests.handler.bodies import requests
from tests.handler.frames import Sent

INTEGERS = ([*USER_IDS, 5], [*MOVIE_IDS, 4])
STRANGERS = (2**63 - 1, -(2**63), 2**63, 2**64 - 1)
STRINGS = (["ann", "zoë", "nobody", 'a"\\\n'], ["0002844", "2844", "a b", "none", "x" * 600])


class Counted:
    """Metrics that are kept: what was asked, how many pairs were rated, and how many ids were unknown."""

    def __init__(self) -> None:
        self.seen: list[tuple[Counter[tuple[str, int]], int, int]] = []

    def count_batch(
        self, requests: Counter[tuple[str, int]], answers: Sequence[Answer], seconds: tuple[float, float, float]
    ) -> None:
        assert min(seconds) >= 0
        pairs = sum(answer.num_pairs() for answer in answers)
        self.seen.append((requests, pairs, sum(answer.num_unknown() for answer in answers)))


class Lines(logging.Handler):
    """The log lines, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.written.append(record.getMessage())


def make(artifact: Artifact, settings: HandlerSettings) -> tuple[RatingService, Counted]:
    """A service that rates pair by pair: a rating's last digit depends on its place in a forward."""
    counted = Counted()
    service = RatingService(artifact, settings, "ncf", "1.0", metrics=counted)
    scorer = service.predictor.scorer
    rate = scorer.rate

    def one_by_one(users: np.ndarray, movies: np.ndarray, fold_ins: Sequence[Any] = ()) -> np.ndarray:
        rated = [rate(users[place : place + 1], movies[place : place + 1], fold_ins) for place in range(len(users))]
        return np.concatenate([np.empty(0), *rated])

    setattr(scorer, "rate", one_by_one)  # noqa: B010
    return service, counted


def read(sent: Sent) -> Request:
    row = {name: value for name, _, value in sent.parameters}
    return to_request(row, lower_case_names(sent.headers.items()))


def plain(user_id: object, movie_id: object) -> Request:
    body = b'{"user_id": %b, "movie_id": %b}'
    return Request(body % tuple(_json(value) for value in (user_id, movie_id)), {"x-request-id": "a"})


def _json(value: object) -> bytes:
    return f'"{value}"'.encode() if isinstance(value, str) else str(value).encode()


@pytest.mark.parametrize("strings", [False, True])
@pytest.mark.parametrize("unknown", ["answer", "error"])
def test_plain_requests_are_answered_as_all_others(
    artifact: Artifact, string_artifact: Artifact, strings: bool, unknown: str
) -> None:
    settings = HandlerSettings(unknown=unknown, max_error_lines_per_s=10**9, max_pairs=40, max_batch_bytes=9000)
    model = string_artifact if strings else artifact
    fast, fast_counts = make(model, settings)
    usual, usual_counts = make(model, settings)
    setattr(usual._plain, "find", lambda _: NO_PLAIN_REQUESTS)  # noqa: B010
    lines = Lines()
    logging.getLogger("handler.request_log").addHandler(lines)
    users, movies = STRINGS if strings else INTEGERS
    strangers = () if strings else STRANGERS
    pair = st.builds(plain, st.sampled_from([*users, *strangers]), st.sampled_from([*movies, *strangers]))
    found = 0

    @given(st.lists(pair | pair | requests(users, movies).map(read), max_size=12))
    def try_batch(batch: list[Request]) -> None:
        nonlocal found
        found += len(fast._plain.find(batch).places)
        lines.written.clear()
        answered = fast.answer(batch)
        logged = lines.written.copy()
        lines.written.clear()
        assert answered == usual.answer(batch)
        assert logged == lines.written

    try:
        try_batch()
    finally:
        logging.getLogger("handler.request_log").removeHandler(lines)
    assert fast_counts.seen == usual_counts.seen
    assert found > 100


@pytest.mark.parametrize(
    "request_",
    [
        Request(b'{"user_id": 7, "movie_id": 3}', {"content-encoding": "gzip"}),
        Request(b'{"user_id": 7, "movie_id": 3}', {"inference-header-content-length": "29"}),
        Request(b'{"user_id": 7, "movie_id": 3}', endpoint="explanations"),
        Request(b'{"user_id": "7", "movie_id": 3}'),
        Request(b'{"user_id": true, "movie_id": 3}'),
        Request(b'{"user_id": 7, "movie_id": 3, "ids_as_strings": true}'),
        Request(b'{"user_id": 7}, {"movie_id": 3}'),
        Request(b'{"user_id": 7, "movie_id": 3}' + 500 * b" "),
        Request(b""),
        Request(None),
        Request({"user_id": 7, "movie_id": 3}),
    ],
)
def test_requests_that_ask_for_more_go_the_usual_way(artifact: Artifact, request_: Request) -> None:
    service, _ = make(artifact, HandlerSettings())
    ordinary = Request(b'{"user_id": 7, "movie_id": 3}')
    assert service._plain.find([ordinary, request_, ordinary]).places == [0, 2]


def test_where_answers_must_be_short_no_request_is_plain(artifact: Artifact) -> None:
    service, _ = make(artifact, HandlerSettings(max_answer_bytes=20))
    [answer] = service.answer([Request(b'{"user_id": 7, "movie_id": 3}')])
    assert answer.status == 413


def test_failing_network_fails_each_request_once(artifact: Artifact, monkeypatch: pytest.MonkeyPatch) -> None:
    service, counted = make(artifact, HandlerSettings())
    rate: Callable[..., np.ndarray] = service.predictor.scorer.rate

    def fails_for_known(users: np.ndarray, movies: np.ndarray, fold_ins: Sequence[Any] = ()) -> np.ndarray:
        if (users == 1).any():
            raise RuntimeError("as asked")
        return rate(users, movies, fold_ins)

    monkeypatch.setattr(service.predictor.scorer, "rate", fails_for_known)
    answers = service.answer([plain(0, 3), plain(7, 3), Request(b"{"), plain(19, 3)])
    assert [answer.status for answer in answers] == [200, 500, 400, 200]
    assert counted.seen[0][0] == {("pair", 200): 2, ("undecoded", 500): 1, ("undecoded", 400): 1}
