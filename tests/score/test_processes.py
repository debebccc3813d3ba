"""Processes that share the parts end together, and say why."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import cast

import pytest

from score import processes
from score.processes import do_together
from score.work import Work
from train.errors import DataError


def die(work: object) -> Iterator[int]:
    yield 1
    if work == "killed":
        os.kill(os.getpid(), 9)
    raise OSError(28, "No space left on device")


def run_with_stand_in(work: Work, report: object) -> None:
    vars(processes)["do"] = die  # in the started process alone
    _run(work, report)  # type: ignore[arg-type]


_run = processes._run


@pytest.mark.parametrize(
    ("first", "error"),
    [("killed", "ended with status -9, as a lack of memory may do: fewer --processes"), ("full", "No space left")],
)
def test_a_process_that_fails_ends_all(first: str, error: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_run", run_with_stand_in)
    with pytest.raises((DataError, OSError), match=error):
        list(do_together(cast(list[Work], [first, first])))
