"""The report of a soak: Markdown tables, and a picture of memory and answers over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from bench.markdown import table
from bench.soak.faults import Survived
from bench.soak.phases import OVERLOAD_CONNECTIONS, Endurance, Overload


def overload_table(maximum_per_s: float, found: Overload) -> str:
    """The table of the overload: the outcomes of the requests, and the memory."""
    tally = found.tally
    columns = {
        "offered": f"{tally.sent:,}",
        "answered": f"{tally.answered:,}",
        "refused (503)": f"{tally.refused:,}",
        "other errors": f"{tally.failed:,}",
        "no answer in 10 s": f"{tally.hung:,}",
        "broken off": f"{tally.broken:,}",
        "not sent: all connections busy": f"{tally.unsent:,}",
        "wrong of checked": f"{tally.wrong:,} of {tally.checked:,}",
        "answered a second": f"{tally.answered / found.seconds:,.0f}",
        "p50": f"{found.p50_s:.2f} s",
        "longest": f"{found.longest_s:.1f} s",
        "normal again after": "not within 10 s" if found.calm_after_s is None else f"{found.calm_after_s:.1f} s",
    }
    memory = {
        "before": found.before_mib,
        "halfway": found.halfway_mib,
        "at its end": found.end_mib,
        "afterwards": found.after_mib,
    }
    about = (
        f"**Overload**: {found.offered_per_s:,.0f} requests a second offered for {found.seconds / 60:.1f} min, "
        f"twice the {maximum_per_s:,.0f} of a closed loop; open loop over {OVERLOAD_CONNECTIONS:,} connections. "
        "A request that finds all of them busy for 0.1 s is not sent."
    )
    return "\n\n".join([about, table(list(columns), 0, [list(columns.values())]), _memory_table(memory)])


def endurance_table(found: Endurance) -> str:
    """The table of the endurance stretch: the outcomes of the requests, and the growth of the memory."""
    tally = found.tally
    front, worker = found.growth_mib_per_million
    about = (
        f"**Endurance**: {tally.sent:,} requests at {found.rate_per_s:,.0f} a second, every answer checked: "
        f"{tally.lost:,} lost, {tally.wrong:,} wrong. Over the later half, the JVM grew by {front:+.2f} MiB for a "
        f"million requests, the largest worker by {worker:+.2f} MiB."
    )
    memory = {"before": found.before_mib, "halfway": found.halfway_mib, "at its end": found.end_mib}
    return f"{about}\n\n{_memory_table(memory)}"


def faults_table(rate_per_s: float, found: Sequence[Survived]) -> str:
    """A row for each fault."""
    about = (
        f"**Faults** at {rate_per_s:,.0f} requests a second, every answer checked. *Lost* counts every request without "
        "its answer, errors included. *Right again* is the time from the fault to the first right answer after the "
        "last bad one."
    )
    rows = []
    for one in found:
        tally = one.tally
        counts = (tally.sent, tally.lost, tally.failed + tally.refused, tally.wrong)
        again = "not within the load" if one.again_s is None else f"{one.again_s:.1f} s"
        rows.append([one.name, *(f"{count:,}" for count in counts), f"{one.longest_s:.2f} s", again])
    header = ("fault", "requests", "lost", "of these with an error", "wrong", "longest wait", "right again after")
    return f"{about}\n\n{table(header, 1, rows)}"


def draw(path: Path, memory: np.ndarray, done_s: np.ndarray, faults: Sequence[Survived]) -> None:
    """Draws memory and answers per second over the minutes since the first row, and marks the faults.

    memory: (N, 3), the rows of a MemoryLog.
    done_s: (M,) the ascending times of the answers.
    """
    start = float(memory[0, 0])
    figure = Figure(figsize=(10, 5.5), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True)
    minutes = (memory[:, 0] - start) / 60
    upper.plot(minutes, memory[:, 1], label="front end (JVM)")
    upper.plot(minutes, memory[:, 2], label="largest worker")
    upper.set_ylabel("resident memory, MiB")
    upper.set_ylim(bottom=0)
    upper.legend(loc="lower right")
    seconds = np.arange(int(max(done_s[-1], memory[-1, 0]) - start) + 1)
    second_of_answer = (done_s[done_s >= start] - start).astype(int)
    lower.plot(seconds / 60, np.bincount(second_of_answer, minlength=len(seconds))[seconds])
    lower.set_ylabel("answered a second")
    lower.set_xlabel("minutes")
    lower.set_ylim(bottom=0)
    for one in faults:
        minute = (one.at_s - start) / 60
        for axes in (upper, lower):
            axes.axvline(minute, color="tab:red", linewidth=0.8, linestyle=":")
        upper.annotate(
            one.name,
            (minute, 0.98),
            xycoords=("data", "axes fraction"),
            rotation=90,
            fontsize=6,
            va="top",
            ha="right",
        )
    figure.savefig(path, dpi=120)


def _memory_table(found: Mapping[str, tuple[float, float]]) -> str:
    """The memory of both parts at each of these times."""
    rows = [
        [part, *(f"{mib[place]:.0f}" for mib in found.values())]
        for place, part in enumerate(("front end (JVM)", "largest worker"))
    ]
    return table(["resident memory, MiB", *found], 1, rows)
