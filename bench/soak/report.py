"""What a soak found, as Markdown tables and as a picture of memory and answers over time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from bench.soak.faults import Survived
from bench.soak.phases import OVERLOAD_CONNECTIONS, Endurance, Overload


def overload_table(maximum_per_s: float, found: Overload) -> str:
    """The overload, a line for what became of requests and one for memory."""
    tally = found.tally
    calm = "not within 10 s" if found.calm_after_s is None else f"{found.calm_after_s:.1f} s"
    return "\n".join(
        [
            f"**Overload**: {found.offered_per_s:,.0f} requests a second offered for {found.seconds / 60:.1f} min, "
            f"twice the {maximum_per_s:,.0f} of a closed loop; open loop over {OVERLOAD_CONNECTIONS:,} connections, "
            "a request that finds all of them busy waits.",
            "",
            "| offered | answered | refused (503) | other errors | no answer in 10 s | broken off | never sent: all "
            "connections busy for 10 s | wrong of checked | answered a second | p50 | longest | normal again after |",
            "|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
            f"| {tally.sent:,} | {tally.answered:,} | {tally.refused:,} | {tally.failed:,} | {tally.hung:,} | "
            f"{tally.broken:,} | {tally.unsent:,} | {tally.wrong:,} of {tally.checked:,} | "
            f"{tally.answered / found.seconds:,.0f} | {found.p50_s:.2f} s | {found.longest_s:.1f} s | {calm} |",
            "",
            _memory(
                {
                    "before": found.before_mib,
                    "halfway": found.halfway_mib,
                    "at its end": found.end_mib,
                    "afterwards": found.after_mib,
                }
            ),
        ]
    )


def endurance_table(found: Endurance) -> str:
    """Millions of requests: what became of them, and how memory grew."""
    tally = found.tally
    front, worker = found.growth_mib_per_million
    return "\n".join(
        [
            f"**Endurance**: {tally.sent:,} requests at {found.rate_per_s:,.0f} a second, every answer checked: "
            f"{tally.lost:,} lost, {tally.wrong:,} wrong. Over the later half, the JVM grew by {front:+.2f} MiB for a "
            f"million requests, the largest worker by {worker:+.2f} MiB.",
            "",
            _memory({"before": found.before_mib, "halfway": found.halfway_mib, "at its end": found.end_mib}),
        ]
    )


def faults_table(rate_per_s: float, found: Sequence[Survived]) -> str:
    """A line for each fault."""
    lines = [
        f"**Faults** at {rate_per_s:,.0f} requests a second, every answer checked. *Lost* is every request without its "
        "answer, errors included; *right again* is from the fault to the first right answer after the last bad one.",
        "",
        "| fault | requests | lost | of these with an error | wrong | longest wait | right again after |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for one in found:
        again = "not within the load" if one.again_s is None else f"{one.again_s:.1f} s"
        tally = one.tally
        lines.append(
            f"| {one.name} | {tally.sent:,} | {tally.lost:,} | {tally.failed + tally.refused:,} | {tally.wrong:,} | "
            f"{one.longest_s:.2f} s | {again} |"
        )
    return "\n".join(lines)


def draw(path: Path, memory: np.ndarray, done_s: np.ndarray, faults: Sequence[Survived]) -> None:
    """Memory (rows (N, 3) of a MemoryLog) and answers a second over the minutes since the first row, faults marked."""
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
    lower.plot(
        seconds / 60, np.bincount((done_s[done_s >= start] - start).astype(int), minlength=len(seconds))[seconds]
    )
    lower.set_ylabel("answered a second")
    lower.set_xlabel("minutes")
    lower.set_ylim(bottom=0)
    for one in faults:
        for axes in (upper, lower):
            axes.axvline((one.at_s - start) / 60, color="tab:red", linewidth=0.8, linestyle=":")
        upper.annotate(
            one.name,
            ((one.at_s - start) / 60, 0.98),
            xycoords=("data", "axes fraction"),
            rotation=90,
            fontsize=6,
            va="top",
            ha="right",
        )
    figure.savefig(path, dpi=120)


def _memory(found: dict[str, tuple[float, float]]) -> str:
    lines = [f"| resident memory, MiB | {' | '.join(found)} |", f"|---|{'--:|' * len(found)}"]
    for place, name in enumerate(("front end (JVM)", "largest worker")):
        lines.append(f"| {name} | {' | '.join(f'{mib[place]:.0f}' for mib in found.values())} |")
    return "\n".join(lines)
