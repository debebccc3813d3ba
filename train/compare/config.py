"""The options of a comparison."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class CompareConfig:
    """Compare two versions on ratings that neither was trained on, and write a JSON file."""

    version: Path
    """The folder of the version that may replace the other one."""
    other: Path
    """The folder of the other version."""
    out: Path
    """The JSON file for the figures."""
    data: tuple[str, ...] = ()
    """Files, folders or databases of ratings. They are read like the version's own ratings."""
    other_data: tuple[str, ...] = ()
    """More ratings. They are read like those of the other version."""
