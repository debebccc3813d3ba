"""The report of a reader: a few lines for the screen and for metrics.json."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Protocol, Self

from model.vocabulary import Vocabulary, counted


class Line(Protocol):
    """A line that can take in what later rows of the same file say in its place."""

    def with_later(self, later: Any) -> Self | None:
        """The line about both; None if the later rows say something else."""
        ...


@dataclass(frozen=True)
class FirstLine:
    """A line with an example. That of the first rows stays, if all rows are of one kind."""

    kind: str
    text: str

    def __str__(self) -> str:
        return self.text

    def with_later(self, later: Any) -> Self | None:
        """See `Line`."""
        return self if isinstance(later, FirstLine) and later.kind == self.kind else None


@dataclass(frozen=True)
class RowsLine:
    """A line about a number of rows, which stands between `before` and `after`."""

    before: str
    number: int
    after: str

    def __str__(self) -> str:
        return f"{self.before}{counted(self.number, 'row')}{self.after}"

    def with_later(self, later: Any) -> Self | None:
        """See `Line`."""
        if not isinstance(later, RowsLine) or (later.before, later.after) != (self.before, self.after):
            return None
        return replace(self, number=self.number + later.number)


@dataclass
class Reading:
    """Grows while a file is read. `lines` report what was found; `warnings` report doubts and the option that decides.

    words: the names of items and tags. growing: those of the lines, by their places, that can take in later rows.
    """

    lines: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    words: Vocabulary = field(default_factory=Vocabulary)
    growing: dict[int, Line] = field(default_factory=dict, repr=False, compare=False)

    def say(self, line: str | Line) -> None:
        """Adds a line about what was found."""
        if not isinstance(line, str):
            self.growing[len(self.lines)] = line
        self.lines.append(str(line))

    def warn(self, line: str) -> None:
        """Adds a warning. It should name the line of the file and the option that decides."""
        self.warnings.append(line)

    def add(self, other: Reading) -> None:
        """Adds the lines and warnings of another reading that are not here yet."""
        self.lines += [line for line in other.lines if line not in self.lines]
        self.warnings += [line for line in other.warnings if line not in self.warnings]

    def take_in(self, later: Reading) -> bool:
        """Makes the lines those about later rows too; False if these say something else."""
        if len(self.lines) != len(later.lines):
            return False
        for place, (own, other) in enumerate(zip(self.lines, later.lines, strict=True)):
            if place in self.growing:
                both = self.growing[place].with_later(later.growing.get(place))
                if both is None:
                    return False
                self.growing[place], self.lines[place] = both, str(both)
            elif own != other:
                return False
        return True

    def told(self) -> dict[str, list[str]]:
        """Lines and warnings, for metrics.json."""
        return {"lines": self.lines, "warnings": self.warnings}

    def text(self) -> str:
        """All lines for the screen, warnings last."""
        return "\n".join([*self.lines, *(f"warning: {line}" for line in self.warnings)])


def listed(names: list[str]) -> str:
    """`a, b and c`."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
