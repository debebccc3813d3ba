"""The checks of a comparison, on right, wrong and broken servers of the standard library."""

import itertools
import operator
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from bench.peers.checks import check_alone, check_bursts
from bench.peers.dialects import Ask, Dialect, plain
from bench.peers.judge import Judge, WrongAnswerError, asks_to_check
from bench.peers.measure import Round, Setup, measure
from bench.peers.processes import Running
from bench.peers.rating_model import RatingModel
from bench.peers.servers import Server
from bench.workloads import draw_asks
from model.artifact import Artifact, save_artifact

pytestmark = pytest.mark.skipif(
    not shutil.which("cc") or not shutil.which("wrk"), reason="the generators are not installed"
)

Answer = Callable[[dict[str, Any]], dict[str, Any] | None]
DIALECTS: dict[str, Dialect] = dict.fromkeys(("pair", "columns", "best"), plain("/predict"))


class Listener(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256


@contextmanager
def listening(answer: Answer, folder: Path) -> Iterator[Running]:
    """A server that answers what `answer` returns, and 503 for None."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            told = answer(orjson.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            body = orjson.dumps(told, option=orjson.OPT_SERIALIZE_NUMPY)
            self.send_response(200 if told else 503)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    with Listener(("127.0.0.1", 0), Handler) as listener:
        threading.Thread(target=listener.serve_forever, args=(0.01,), daemon=True).start()
        yield Running(f"http://127.0.0.1:{listener.server_port}", os.getpid(), time.monotonic(), folder / "console.log")
        listener.shutdown()


def served(answer: Answer) -> Server:
    def start(_: Path, folder: Path) -> AbstractContextManager[Running]:
        return listening(answer, folder)

    return Server("Standard library", start, DIALECTS)


@pytest.fixture
def path(artifact: Artifact, tmp_path: Path) -> Path:
    save_artifact(artifact, tmp_path / "ncf.pt")
    return tmp_path / "ncf.pt"


@pytest.fixture
def right(path: Path) -> Answer:
    model, alone = RatingModel(path), threading.Lock()

    def answer(ask: dict[str, Any]) -> dict[str, Any]:
        with alone:
            return model.answer([ask])[0]

    return answer


def is_of(kind: str, ask: Ask) -> bool:
    return kind == ("best" if "top_k" in ask else "columns" if isinstance(ask["user_id"], list) else "pair")


def off(answer: Answer, wrong: Callable[[Ask], bool]) -> Answer:
    """The same answers, but with too high ratings for the asks that `wrong` selects."""

    def changed(ask: dict[str, Any]) -> dict[str, Any] | None:
        told = answer(ask)
        if told is None or not wrong(ask):
            return told
        if "recommendations" in told:
            return {"recommendations": [{**line, "rating": line["rating"] + 0.01} for line in told["recommendations"]]}
        return {**told, "rating": (np.array(told["rating"]) + 0.01).tolist()}

    return changed


@pytest.fixture
def checks(artifact: Artifact, monkeypatch: pytest.MonkeyPatch) -> dict[str, list[Ask]]:
    monkeypatch.setattr("bench.workloads.TOP_K", 3)
    return asks_to_check(draw_asks(artifact), artifact)


@pytest.mark.parametrize("check", [check_alone, check_bursts])
def test_right_server_passes_and_wrong_answers_of_any_kind_fail(
    artifact: Artifact, right: Answer, checks: dict[str, list[Ask]], tmp_path: Path, check: Callable[..., None]
) -> None:
    with listening(right, tmp_path) as running:
        check(running, DIALECTS, checks, Judge(artifact))
    for wrong in DIALECTS:
        with (
            listening(off(right, partial(is_of, wrong)), tmp_path) as running,
            pytest.raises(WrongAnswerError, match=r"off by 0\.01"),
        ):
            check(running, DIALECTS, checks, Judge(artifact))


def test_every_pair_is_compared(
    artifact: Artifact, right: Answer, checks: dict[str, list[Ask]], tmp_path: Path
) -> None:
    for place in (0, 100, len(checks["pair"]) - 1):
        with (
            listening(off(right, partial(operator.eq, checks["pair"][place])), tmp_path) as running,
            pytest.raises(WrongAnswerError),
        ):
            check_alone(running, DIALECTS, checks, Judge(artifact))


def test_server_may_refuse_part_of_a_burst_but_not_all(
    artifact: Artifact, right: Answer, checks: dict[str, list[Ask]], tmp_path: Path
) -> None:
    turns = itertools.count()
    with listening(lambda ask: right(ask) if next(turns) % 3 else None, tmp_path) as running:
        check_bursts(running, DIALECTS, checks, Judge(artifact))
    with (
        listening(lambda _: None, tmp_path) as running,
        pytest.raises(WrongAnswerError, match="in a burst of 64, pair: every request was refused"),
    ):
        check_bursts(running, DIALECTS, checks, Judge(artifact))


def test_wrong_answer_and_failed_start_give_a_round_with_an_error(
    artifact: Artifact, path: Path, right: Answer, checks: dict[str, list[Ask]]
) -> None:
    def round_of(server: Server) -> Round:
        setup = Setup(path, draw_asks(artifact), checks, Judge(artifact), seconds=1)
        return measure(server, setup, seed=0, done=lambda: None)

    one = round_of(served(off(right, lambda ask: ask == checks["pair"][100])))
    assert one.error.startswith("WrongAnswerError: ")
    assert one.start_s > 0
    assert not one.loads
    assert not one.open_loads

    def broken(*_: Path) -> AbstractContextManager[Running]:
        raise FileNotFoundError("no such server")

    assert round_of(Server("", broken, DIALECTS)).error == "FileNotFoundError: no such server"
