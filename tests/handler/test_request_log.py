"""The log names a failed request by its client's id, and no client can forge a line or flood the log."""

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest

from handler.request import Request
from handler.request_log import find_request_id
from handler.rows import to_request
from tests.handler.conftest import HTTP, Worker

Make = Callable[..., Worker]
PAIR = {"user_id": 11_242, "movie_id": 10_253}
POISON = {"user_id": 7, "movie_id": 3}
FROM_BROWSER = {**HTTP, "X-Request-Id": "5f3c-1"}


def body(content: Any) -> dict[str, bytes]:
    return {"body": content if isinstance(content, bytes) else json.dumps(content).encode()}


def lines(caplog: pytest.LogCaptureFixture) -> list[tuple[int, str]]:
    return [(record.levelno, record.getMessage()) for record in caplog.records if "request_" in record.getMessage()]


def test_bad_request_with_an_id_writes_one_log_line(worker: Make, caplog: pytest.LogCaptureFixture) -> None:
    worker().rows(body({"user_id": "x"}), headers=FROM_BROWSER)
    said = 'user_id: expected an integer, got \\"x\\"'
    assert lines(caplog) == [
        (logging.WARNING, f'request_failed id=5f3c-1 status=400 type=InvalidRequest version=1.0 message="{said}"')
    ]


def test_answers_and_bad_requests_without_an_id_write_no_log_line(
    worker: Make, caplog: pytest.LogCaptureFixture
) -> None:
    served = worker()
    served.rows(body(PAIR), headers=FROM_BROWSER)
    served.rows(body(b"{"))
    assert lines(caplog) == []


def test_id_over_grpc_is_a_field_beside_the_body(worker: Make, caplog: pytest.LogCaptureFixture) -> None:
    worker().rows({"body": b"{", "x-request-id": b"grpc.7"}, headers={})
    [(_, line)] = lines(caplog)
    assert line.startswith("request_failed id=grpc.7 status=400 ")


@pytest.mark.parametrize(
    ("sent", "logged"),
    [
        ("01JD9Z3W8Q:a/b+c=@d_e.f-g", "01JD9Z3W8Q:a/b+c=@d_e.f-g"),
        ("a\nrequest_failed id=b", "a_request_failed_id=b"),
        ("a status=200\r\x1b[31m\u2028é", "a_status=200___31m__"),
        ("x" * 5000, "x" * 128),
        ("", None),
    ],
)
def test_id_can_neither_end_a_log_line_nor_make_it_long(sent: str, logged: str | None) -> None:
    assert find_request_id(Request(b"", {"x-request-id": sent})) == logged
    if sent.isascii():
        assert find_request_id(to_request({"body": b"", "x-request-id": sent.encode()}, {})) == logged


def test_log_lines_per_second_are_limited(worker: Make, caplog: pytest.LogCaptureFixture) -> None:
    served = worker(max_error_lines_per_s=3)
    for _ in range(4):
        served.rows(*[body(b"{")] * 50, headers=FROM_BROWSER)
    seconds = 1 + sum("left out" in message for _, message in lines(caplog))
    assert sum("id=5f3c-1" in message for _, message in lines(caplog)) <= 3 * seconds
    assert len(lines(caplog)) >= 3


def break_on_poison(served: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of the network, for one user."""
    answer = served.handler.service.predictor.answer

    def breaking(asks: list[Any]) -> list[Any]:
        if any(POISON["user_id"] in (getattr(ask, "user_id", None), *getattr(ask, "user_ids", ())) for ask in asks):
            raise RuntimeError("as asked")
        return answer(asks)

    monkeypatch.setattr(served.handler.service.predictor, "answer", breaking)


def test_fault_fails_one_request_alone_and_logs_its_traceback(
    worker: Make, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    served = worker()
    [good] = served.rows(body(PAIR))
    break_on_poison(served, monkeypatch)
    first, bad, undecoded, last = served.rows(
        body(PAIR), body(POISON), body(b"{"), body({"instances": [PAIR]}), headers=FROM_BROWSER
    )
    assert first == good
    assert last == (200, {"predictions": [good[1]]})
    assert undecoded[0] == 400
    assert bad == (
        500,
        {"code": 500, "type": "InternalError", "message": "the server failed on this request; its log tells why"},
    )
    broke, *failed = [record for record in caplog.records if "request_" in record.getMessage()]
    assert broke.getMessage() == "request_broke id=5f3c-1 version=1.0"
    assert broke.exc_info is not None
    assert str(broke.exc_info[1]) == "as asked"
    assert [record.getMessage()[:34] for record in failed] == [
        "request_failed id=5f3c-1 status=50",
        "request_failed id=5f3c-1 status=40",
    ]


def test_server_error_without_an_id_writes_a_log_line(
    worker: Make, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    served = worker()
    break_on_poison(served, monkeypatch)
    served.rows(body(POISON))
    assert [message[:29] for _, message in lines(caplog)] == [
        "request_broke id=- version=1.",
        "request_failed id=- status=50",
    ]
