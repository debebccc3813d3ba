"""`python -m train.evaluation.history`: the picture of a history of versions, from the JSON that `make history` writes.

On the left when each version was served, on the right its squared error against the version before it.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import matplotlib as mpl
import tyro
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
from matplotlib.figure import Figure

from model.files import atomic_write
from train.command import run_command
from train.evaluation.plots import LIGHT, Theme

_WIDTH, _LINE, _MOST = 10.0, 0.32, 40  # inches, inches, versions
_DOTS_PER_INCH = 160


@dataclass(frozen=True)
class HistoryConfig:
    """Draw a history of versions, from the JSON file that `make history` writes."""

    history: Path
    """What `make history` wrote of the versions."""
    out: Path
    """The picture, a PNG."""


def draw_history(versions: list[dict[str, Any]], path: Path, theme: Theme = LIGHT) -> None:
    """Draws the newest versions, the newest on top, and writes `path` in one step."""
    mpl.use("agg")
    shown = versions[-_MOST:]
    figure = Figure((_WIDTH, 1.3 + _LINE * len(shown)), layout="constrained", facecolor=theme.paper)
    left, right = figure.subplots(1, 2, sharey=True)
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_ylim(-0.6, len(shown) - 0.4)
        axes.tick_params(length=3, labelsize=9)
        axes.grid(axis="x", color=theme.faint, linewidth=0.6)
        axes.set_axisbelow(True)
    left.set_yticks(range(len(shown)), [_name(one) for one in shown])
    _draw_reigns(left, shown, theme)
    _draw_differences(right, shown, theme)
    with atomic_write(path) as partial:
        figure.savefig(partial, dpi=_DOTS_PER_INCH, format="png", facecolor=theme.paper)


def _name(one: dict[str, Any]) -> str:
    ratings = f"  {one['ratings']:,}" if one.get("ratings") else ""
    return f"{one['version']}  {one.get('way') or ''}{ratings}"


def _draw_reigns(axes: Axes, versions: list[dict[str, Any]], theme: Theme) -> None:
    axes.set_title("Served", fontsize=10, loc="left")
    now = datetime.now(UTC)
    for place, one in enumerate(versions):
        for reign in one["reigns"]:
            begun = datetime.fromisoformat(reign["begun"])
            ended = datetime.fromisoformat(reign["ended"]) if reign["ended"] else now
            start = date2num(begun)
            axes.barh(place, date2num(ended) - start, left=start, height=0.6, color=theme.network)
            axes.plot(start, place, "|", color=theme.network, markersize=12)  # a short reign is seen too
    locator = AutoDateLocator(minticks=2, maxticks=6)  # with more at least, no interval fits three minutes
    axes.xaxis_date()
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))


def _draw_differences(axes: Axes, versions: list[dict[str, Any]], theme: Theme) -> None:
    axes.set_title("Squared error, less the former version's, in %", fontsize=10, loc="left")
    axes.axvline(0, color=theme.others[1], linewidth=1)
    colors = {"promote": theme.others[2], "keep": theme.others[0], "cannot tell": theme.others[1]}
    labelled: set[str] = set()
    for place, one in enumerate(versions):
        if not one["verdict"] or not one.get("errors"):
            continue
        verdict, errors = one["verdict"].split(",")[0], one["errors"]
        mean, low, high = (100 * errors[name] / errors["other"] for name in ("difference", "low", "high"))
        label = {} if verdict in labelled else {"label": verdict}
        labelled.add(verdict)
        axes.errorbar(mean, place, xerr=[[mean - low], [high - mean]], fmt="o", color=colors[verdict], **label)
    if labelled:
        axes.figure.legend(frameon=False, fontsize=9, loc="outside lower right", ncols=3)


def main(arguments: list[str] | None = None) -> int:
    """Draws the picture; returns the exit status."""
    given = sys.argv[1:] if arguments is None else arguments

    def run() -> str:
        config = tyro.cli(HistoryConfig, prog="python -m train.evaluation.history", args=given)
        draw_history(json.loads(config.history.read_text(encoding="utf-8")), config.out)
        return ""

    return run_command("history", run)


if __name__ == "__main__":
    sys.exit(main())
