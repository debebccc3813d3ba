"""The log of a real server in JSON: each line is an object, and a failed request is found by its id."""

import json
from datetime import datetime
from typing import Any

import httpx
import pytest

from tests.e2e import plain_http
from tests.e2e.conftest import Running
from tests.e2e.grpc_client import GrpcClient
from tests.waiting import wait_until

pytestmark = pytest.mark.e2e


def log(running: Running) -> list[dict[str, Any]]:
    """The lines so far, without one that is being written."""
    whole, _, _ = (running.image.folder / "logs" / "ts.log").read_text().rpartition("\n")
    return [json.loads(line) for line in whole.splitlines()]


def lines_with(running: Running, text: str) -> list[str]:
    """Waits for messages with this text, because a worker's line reaches the log through the front end."""

    def found() -> list[str]:
        return [one["message"] for one in log(running) if text in one["message"]]

    wait_until(found, f"a line with {text}")
    return found()


def ask(running: Running, body: Any, request_id: str) -> httpx.Response:
    url = f"{running.project.settings.inference}/predictions/ncf"
    return plain_http.post(url, json=body, headers={"X-Request-Id": request_id})


def test_request_id_is_in_the_log_line_of_its_error(running: Running) -> None:
    assert ask(running, {"user_id": "x", "movie_id": 1}, "9b1d-bad").status_code == 400
    [line] = lines_with(running, "9b1d-bad")
    assert line.startswith("request_failed id=9b1d-bad status=400 type=InvalidRequest version=1.0 message=")
    assert 'expected an integer, got \\"x\\"' in line


def test_successful_request_is_not_logged(running: Running) -> None:
    before = len(log(running))
    assert ask(running, {"user_id": 4227, "top_k": 1}, "9b1d-good").status_code == 200
    assert ask(running, {"user_id": "x"}, "9b1d-after").status_code == 400
    lines_with(running, "9b1d-after")
    assert len(log(running)) == before + 1


def test_over_grpc_the_id_is_a_field_beside_the_body(running: Running) -> None:
    with GrpcClient(f"127.0.0.1:{running.project.ports['7070']}") as client:
        assert client.predict({"body": b"{", "x-request-id": b"9b1d-grpc"})["code"] == 400
    assert len(lines_with(running, "id=9b1d-grpc status=400")) == 1


def test_model_fault_fails_one_request_and_logs_a_traceback(running: Running) -> None:
    broken = ask(running, {"user_id": running.breaks_on, "movie_id": 1}, "9b1d-fault")
    assert (broken.status_code, broken.json()["type"]) == (500, "InternalError")
    assert "two lines" not in broken.text
    lines_with(running, "request_failed id=9b1d-fault status=500")
    told = lines_with(running, "id=9b1d-fault")
    assert [line.split()[0] for line in told] == ["request_broke", "request_failed"]
    assert any('RuntimeError: a "broken" one' in one["message"] for one in log(running))
    assert ask(running, {"user_id": 4227, "movie_id": 1}, "9b1d-next").status_code == 200


def test_no_client_can_forge_a_line(running: Running) -> None:
    ask(running, {"user_id": "x"}, 'id" status=200 {"level": "INFO"}')
    assert lines_with(running, "id=id__status=200__") != []


def test_each_log_line_has_time_level_logger_and_message(running: Running) -> None:
    ask(running, {"user_id": running.breaks_on, "movie_id": 1}, "9b1d-last")
    lines_with(running, "id=9b1d-last status=500")
    lines = log(running)
    assert all(one.keys() == {"time", "level", "logger", "thread", "message", "exception"} for one in lines)
    assert {one["level"] for one in lines} <= {"INFO", "WARN", "ERROR"}
    assert {"MODEL_LOG", "org.pytorch.serve.ModelServer"} <= {one["logger"] for one in lines}
    times = [datetime.fromisoformat(one["time"]) for one in lines]
    assert all(one.tzinfo is not None for one in times)
