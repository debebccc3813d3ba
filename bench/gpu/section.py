"""What a section of the GPU check is: a module with a function `run(context)` that yields a row for each finding.

Every section runs in a process of its own, so it may lose the GPU or be stopped when it is late. The rows that it has
yielded by then stay: so a section yields a row as soon as it knows it. At a stop, the process gets SIGTERM, which
raises SystemExit in `run`; a moment later, the process and all its descendants are killed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

Outcome = Literal["measured", "passed", "failed", "left out"]


@dataclass(frozen=True)
class Context:
    """What a section gets.

    device: "cuda" or "cpu". On "cpu" the check tries itself: its figures say nothing about a GPU.
    small: whether to use the smallest sizes, so that all sections together take about a minute or two on two cores.
    artifact: the model to serve and to measure.
    kmrd: the folder of KMRD; None if it is not there.
    ends_at: when the section is stopped, in seconds since the epoch.
    """

    device: str
    small: bool
    artifact: Path
    kmrd: Path | None
    ends_at: float

    def left_s(self) -> float:
        """Seconds until the section is stopped. A section can leave out a part that would take longer."""
        return self.ends_at - time.time()


@dataclass(frozen=True)
class Row:
    """One finding, which is one line of the table.

    figure, unit: what was measured; None for a test.
    note: why something failed or was left out, or what one must know to read the figure.
    """

    what: str
    outcome: Outcome
    figure: float | None = None
    unit: str = ""
    note: str = ""


Run = Callable[[Context], Iterator[Row]]


class Section(NamedTuple):
    """A section of the check: its name in the table, the module with `run`, and its share of the time in seconds.

    Time that a section does not need goes to the later ones, in proportion to their shares.
    """

    name: str
    module: str
    share_s: float


def measured(what: str, figure: float, unit: str, note: str = "") -> Row:
    """A figure, as in `measured("pairs in batches of 1,024", 3e6, "pairs/s")`."""
    return Row(what, "measured", figure, unit, note)


def passed(what: str, note: str = "") -> Row:
    """Something that must hold, and does."""
    return Row(what, "passed", note=note)


def failed(what: str, why: str) -> Row:
    """Something that must hold, and does not."""
    return Row(what, "failed", note=why)


def left_out(what: str, why: str) -> Row:
    """Something that could not be tried on this machine, or in this time."""
    return Row(what, "left out", note=why)


def last_line(text: str) -> str:
    """The last line of what a program printed, for a note: of a Python program that failed, the error."""
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "it said nothing")
