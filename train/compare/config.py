"""What a comparison can be told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class CompareConfig:
    """Options of `python -m train.compare`."""

    version: Path
    """The folder of the version that may take the other's place."""
    other: Path
    """The folder of the other version."""
    out: Path
    """Where to write the figures, as JSON."""
    data: tuple[str, ...] = ()
    """Files, folders or databases of ratings, read as the version's own were."""
    other_data: tuple[str, ...] = ()
    """More of them, read as the other version's own were."""
