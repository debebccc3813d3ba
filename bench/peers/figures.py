"""The two pictures of a comparison: answers by number of connections, and p99 by load."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.peers.measure import CONNECTIONS
from bench.peers.servers import OURS, SERVERS
from bench.peers.summary import Summary


def draw(summaries: Mapping[str, Summary], folder: Path) -> dict[str, str]:
    """Writes the pictures into `folder`; returns their file names by what they show."""
    return {
        "Answers to one pair": _throughput(summaries, folder / "peers-throughput.png"),
        "p99 of one pair under open load": _waiting(summaries, folder / "peers-p99.png"),
    }


def _throughput(summaries: Mapping[str, Summary], path: Path) -> str:
    figure, axes = _axes("connections", "answers per second")
    for name, one in summaries.items():
        rates = [one.closed[f"pair/{connections}"].answered_per_s for connections in CONNECTIONS]
        _line(axes, name, CONNECTIONS, [rate.median for rate in rates])
    axes.set_xscale("log", base=2)
    axes.set_xticks(CONNECTIONS, [str(connections) for connections in CONNECTIONS])
    return _save(figure, axes, path)


def _waiting(summaries: Mapping[str, Summary], path: Path) -> str:
    figure, axes = _axes("load, % of each server's own maximum", "p99 from the intended send time, ms")
    for name, one in summaries.items():
        shares = [100 * float(share) for share in one.opened]
        _line(axes, name, shares, [load.p99_ms.median for load in one.opened.values()])
    axes.set_xticks([100 * float(share) for share in next(iter(summaries.values())).opened])
    return _save(figure, axes, path)


def _axes(across: str, up: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    axes.set(xlabel=across, ylabel=up, yscale="log")
    axes.grid(alpha=0.3, which="both")
    return figure, axes


def _line(axes: Axes, name: str, across: Sequence[float], up: list[float]) -> None:
    own = name == OURS
    axes.plot(across, up, marker="o", label=SERVERS[name].title, linewidth=3 if own else 1.2, zorder=3 if own else 2)


def _save(figure: Figure, axes: Axes, path: Path) -> str:
    figure.legend(*axes.get_legend_handles_labels(), loc="outside right upper", frameon=False)
    figure.savefig(path, dpi=120, metadata={"Software": None})
    return path.name
