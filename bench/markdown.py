"""Markdown tables, for the terminal and for docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

Cells = Sequence[str]


def table(header: Cells, texts: int, rows: Iterable[Cells]) -> str:
    """A Markdown table; the first `texts` columns contain text, the others figures."""
    lines = [header, ["---"] * texts + ["--:"] * (len(header) - texts), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
