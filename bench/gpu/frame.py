"""Runs the sections one after the other within a budget of time, and keeps what each of them found."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from bench.gpu.child import rows_of, to_json
from bench.gpu.section import Context, Row, Section, failed, last_line, left_out
from bench.machine import ROOT

# After SIGTERM, a section has so long to stop what it has started. It is part of the section's time.
_GRACE_S = 5.0
# Less than this is too little for any section: Python and torch alone take seconds to start.
_LEAST_S = 10.0


@dataclass(frozen=True)
class Finished:
    """A section that has ended: its rows, the seconds that it took, and those that it was given."""

    name: str
    rows: Sequence[Row]
    seconds: float
    limit_s: float

    @property
    def failures(self) -> int:
        """How many of its rows are failures."""
        return sum(row.outcome == "failed" for row in self.rows)


def run_sections(
    sections: Sequence[Section], context: Context, tell: Callable[[str], None] = print
) -> Iterator[Finished]:
    """Runs the sections until `context.ends_at` at the latest; yields each once it has ended.

    A section's share of the time that is left is its share among those to come. `tell` gets a line before each.
    """
    for place, section in enumerate(sections):
        to_come = sum(one.share_s for one in sections[place:])
        limit_s = context.left_s() * section.share_s / to_come
        if limit_s < _LEAST_S:
            yield Finished(section.name, [left_out(section.name, "no time was left for it")], 0.0, max(limit_s, 0.0))
            continue
        tell(f"{section.name}: at most {limit_s:.0f} s")
        yield run_section(section, context, limit_s)


def run_section(section: Section, context: Context, limit_s: float) -> Finished:
    """Runs one section in a process of its own, for at most `limit_s`. A late or failing section says so in a row."""
    start = time.monotonic()
    work_s = limit_s - _GRACE_S
    given = replace(context, ends_at=time.time() + work_s)
    with tempfile.TemporaryDirectory() as folder:
        output, errors = Path(folder) / "rows", Path(folder) / "errors"
        command = [sys.executable, "-m", "bench.gpu.child", section.module, to_json(given)]
        with output.open("wb") as to_rows, errors.open("wb") as to_errors:
            process = subprocess.Popen(command, cwd=ROOT, stdout=to_rows, stderr=to_errors, start_new_session=True)
            try:
                status: int | None = process.wait(work_s)
            except subprocess.TimeoutExpired:
                status = None
            finally:
                _stop(process)
        rows = rows_of(output.read_text(encoding="utf-8"))
        told = errors.read_text(encoding="utf-8", errors="replace")
    if status is None:
        rows.append(failed(section.name, f"stopped after {work_s:.0f} s; what it had found by then is above"))
    elif status:
        rows.append(failed(section.name, f"ended with status {status}: {last_line(told)}"))
    elif not rows:
        rows.append(failed(section.name, "found nothing"))
    if any(row.outcome == "failed" for row in rows):
        print(told, file=sys.stderr)
    return Finished(section.name, rows, time.monotonic() - start, limit_s)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ends the process, if it still runs, and all its descendants, also those in sessions of their own."""
    family = _descendants(process.pid)
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            family += _descendants(process.pid)
    for one in family:
        if one.is_running():
            one.kill()
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)  # the session of the section, whose first process may have ended
    process.wait()


def _descendants(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []
