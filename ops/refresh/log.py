"""The log of all runs, `logs/refresh.log`: one line for each step, with its time. The same lines are printed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ops.refresh.journal import now


@dataclass(frozen=True)
class Log:
    """Appends to the file at `path`."""

    path: Path

    def say(self, text: str) -> None:
        """Writes each line of the text with the time before it."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            for line in text.splitlines():
                file.write(f"{now()} {line}\n")
        print(text, flush=True)
