"""The report of a reader: a few lines for the screen and for metrics.json."""

from __future__ import annotations

from dataclasses import dataclass, field

from model.vocabulary import Vocabulary


@dataclass
class Reading:
    """Grows while a file is read. `lines` report what was found; `warnings` report doubts and the option that decides.

    words: the names of items and tags.
    """

    lines: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    words: Vocabulary = field(default_factory=Vocabulary)

    def say(self, line: str) -> None:
        """Adds a line about what was found."""
        self.lines.append(line)

    def warn(self, line: str) -> None:
        """Adds a warning. It should name the line of the file and the option that decides."""
        self.warnings.append(line)

    def add(self, other: Reading) -> None:
        """Adds the lines and warnings of another reading that are not here yet."""
        self.lines += [line for line in other.lines if line not in self.lines]
        self.warnings += [line for line in other.warnings if line not in self.warnings]

    def told(self) -> dict[str, list[str]]:
        """Lines and warnings, for metrics.json."""
        return {"lines": self.lines, "warnings": self.warnings}

    def text(self) -> str:
        """All lines for the screen, warnings last."""
        return "\n".join([*self.lines, *(f"warning: {line}" for line in self.warnings)])


def listed(names: list[str]) -> str:
    """`a, b and c`."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
