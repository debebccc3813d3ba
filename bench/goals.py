"""Goals: figures and the bounds that they should meet."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from typing import NamedTuple

from bench.markdown import table

_COMPARISONS: dict[str, Callable[[float, float], bool]] = {">=": operator.ge, "<=": operator.le, "<": operator.lt}


class Goal(NamedTuple):
    """`figure` should be at least (`>=`), at most (`<=`) or below (`<`) `wanted`."""

    what: str
    figure: float
    sign: str
    wanted: float

    @property
    def met(self) -> bool:
        """Whether the figure meets the bound."""
        return _COMPARISONS[self.sign](self.figure, self.wanted)


def goals_table(goals: Iterable[Goal]) -> str:
    """A Markdown table with a row for each goal."""
    rows = [
        (goal.what, f"{goal.figure:.2f}", f"{goal.sign} {goal.wanted:g}", "met" if goal.met else "**missed**")
        for goal in goals
    ]
    return table(("goal", "measured", "wanted", ""), 1, rows)
