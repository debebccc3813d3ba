"""Every command ends in one way: with what it did, or with one line on what is wrong."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator

import pytest

from train.command import run_command
from train.errors import DataError, DivergedError


@pytest.fixture(autouse=True)
def keep_the_handler_of_sigterm() -> Iterator[None]:
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def raising(error: BaseException) -> Callable[[], str]:
    def body() -> str:
        raise error

    return body


def status_of(error: BaseException) -> object:
    """The status of a command that fails with this error, whether it returns the status or exits with it."""
    try:
        return run_command("train", raising(error))
    except SystemExit as stop:
        return stop.code


def test_a_command_that_worked_prints_what_it_did(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command("report", lambda: "wrote a page") == 0
    assert run_command("report", lambda: "") == 0
    assert capsys.readouterr() == ("wrote a page\n", "")


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (DataError("a.csv:2: no number"), 2, "train: a.csv:2: no number\n"),
        (DivergedError("diverged"), 2, "train: diverged\n"),
        (OSError(28, "No space left on device"), 2, "train: [Errno 28] No space left on device\n"),
        (KeyboardInterrupt(), 130, "train: interrupted; nothing was overwritten\n"),
    ],
)
def test_a_command_that_failed_says_why_in_one_line(
    error: BaseException, status: int, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command("train", raising(error)) == status
    assert capsys.readouterr() == ("", line)


@pytest.fixture
def second(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """This process is the second one of its host. Returns the seconds that it waited."""
    waited: list[float] = []
    monkeypatch.setenv("LOCAL_RANK", "1")
    monkeypatch.setattr("train.command.time.sleep", waited.append)
    return waited


@pytest.mark.parametrize("error", [DataError("no ratings"), SystemExit(2)])
def test_a_second_process_lets_the_first_say_why(second: list[float], error: BaseException) -> None:
    assert status_of(error) == 2
    assert second == [30.0]


@pytest.mark.usefixtures("second")
def test_a_second_process_that_is_not_ended_says_why_itself(capsys: pytest.CaptureFixture[str]) -> None:
    run_command("train", raising(DataError("no ratings")))
    assert capsys.readouterr() == ("", "train: no ratings\n")


@pytest.mark.parametrize(("error", "expected"), [(KeyboardInterrupt(), 130), (SystemExit(143), 143)])
def test_a_second_process_that_is_stopped_ends_at_once_and_in_silence(
    second: list[float], error: BaseException, expected: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status_of(error) == expected
    assert second == []
    assert capsys.readouterr() == ("", "")


def test_a_fault_of_the_program_keeps_its_traceback() -> None:
    with pytest.raises(KeyError):
        run_command("train", raising(KeyError("a fault")))


def test_a_terminated_command_exits_with_status_143() -> None:
    def terminate() -> str:
        signal.raise_signal(signal.SIGTERM)
        return "went on"

    with pytest.raises(SystemExit) as stop:
        run_command("train", terminate)
    assert stop.value.code == 143
