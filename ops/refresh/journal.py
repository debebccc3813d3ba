"""The decisions of the run in progress, in `build/refresh.json`. The next run uses them to resume a killed run.

After a run has ended, they are in `refreshed.json` in the version's folder, together with the outcome.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from model.files import atomic_write

JOURNAL, REFRESHED = "refresh.json", "refreshed.json"


@dataclass(frozen=True)
class Journal:
    """`version` is made from `base` by `way`, an update or a training, because of `reason`.

    held_out: the share of ratings on which the version is measured: of the new ratings in an update, of all in a
    training. It is 0 if the data has no times; then a training splits as usual.
    """

    version: str
    base: str
    way: str
    reason: str
    data: str
    new_ratings: int
    held_out: float
    begun: str


def now() -> str:
    """The time in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def read_journal(build: Path) -> Journal | None:
    """The run in progress; None if there is none.

    Raises:
        ValueError: the file is damaged.
    """
    path = build / JOURNAL
    try:
        return Journal(**json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"{path}: damaged ({error}): remove the file; the next run then starts from the beginning"
        ) from error


def write_journal(build: Path, journal: Journal) -> None:
    """Writes the journal in one step."""
    _write(build / JOURNAL, asdict(journal))


def end_journal(build: Path, journal: Journal, outcome: str) -> None:
    """Ends the run, and notes its outcome in the version's folder. outcome: `promoted`, `kept BASE` or `left`."""
    folder = build / journal.version
    folder.mkdir(exist_ok=True)
    _write(folder / REFRESHED, {**asdict(journal), "outcome": outcome, "ended": now()})
    (build / JOURNAL).unlink()


def read_ended(folder: Path) -> dict[str, Any] | None:
    """The decisions and the outcome of the refresh that made the version in a folder; None if no refresh made it."""
    path = folder / REFRESHED
    if not path.is_file():
        return None
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _write(path: Path, value: object) -> None:
    with atomic_write(path, durable=True) as partial:
        partial.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
