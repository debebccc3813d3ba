"""`python -m train.prepared --data DATA --out FOLDER`: writes a prepared folder."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import tyro

from train.command import run_command
from train.prepared.prepare import prepare
from train.readers.options import ReaderOptions


@dataclass(frozen=True)
class PrepareConfig(ReaderOptions):
    """Write ratings as a prepared folder, which many processes can train on."""

    data: str = "build/demo"
    """A folder, a file, files by a pattern such as 'parts/*.csv', or an object store: s3://bucket/folder."""
    out: Path = Path("build/prepared")
    """The prepared folder to write."""
    rating_scale: tuple[float, float] | None = None
    """Lowest and highest allowed rating. By default, those of the ratings."""


def main(arguments: list[str] | None = None) -> int:
    """Prepares; returns the exit status."""
    config = tyro.cli(PrepareConfig, prog="python -m train.prepared", args=arguments)

    def body() -> str:
        reading = prepare(config.data, config, config.rating_scale, config.out)
        return f"{reading.text()}\nwrote {config.out}"

    return run_command("prepare", body, "nothing was written")


if __name__ == "__main__":
    sys.exit(main())
