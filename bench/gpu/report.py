"""The findings of all sections as one table, and as what one file of JSON holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, get_args

from bench.gpu.card import card_line
from bench.gpu.frame import Finished
from bench.gpu.section import Context, Outcome, Row
from bench.markdown import table


def results(context: Context, card: Mapping[str, Any], found: Sequence[Finished]) -> dict[str, Any]:
    """All rows of all sections, and the device that they come from."""
    return {
        "device": context.device,
        "card": dict(card),
        "small": context.small,
        "sections": [
            {
                "name": one.name,
                "seconds": round(one.seconds, 1),
                "limit_s": round(one.limit_s, 1),
                "rows": [asdict(row) for row in one.rows],
            }
            for one in found
        ],
    }


def report(context: Context, card: Mapping[str, Any], found: Sequence[Finished]) -> str:
    """The device, one table with a line for each finding, and how many there are of each outcome."""
    lines = [(one.name, row.what, _result(row), row.note) for one in found for row in one.rows]
    outcomes = Counter(row.outcome for one in found for row in one.rows)
    counts = ", ".join(f"{outcomes[kind]} {kind}" for kind in get_args(Outcome))
    spent = ", ".join(f"{one.name} {one.seconds:.0f} s" for one in found)
    sizes = " The sizes are the smallest ones (--small)." if context.small else ""
    return "\n\n".join(
        [
            f"{card_line(card, context.device)}{sizes}",
            table(("section", "what", "result", "note"), 4, lines),
            f"{counts}. Time: {spent}.",
        ]
    )


def _result(row: Row) -> str:
    if row.figure is None:
        return f"**{row.outcome}**" if row.outcome == "failed" else row.outcome
    shown = f"{row.figure:,.0f}" if abs(row.figure) >= 1000 else f"{row.figure:.4g}"
    return f"{shown} {row.unit}".rstrip()
