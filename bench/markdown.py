"""Tables as the benchmarks print them and write them into README.md."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

Cells = Sequence[str]


def table(columns: Cells, texts: int, rows: Iterable[Cells]) -> str:
    """Markdown; the first so many columns are texts, the others figures."""
    lines = [columns, ["---"] * texts + ["--:"] * (len(columns) - texts), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
