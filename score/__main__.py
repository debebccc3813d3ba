"""`python -m score`: the best movies of every user of a version, as Parquet files."""

from __future__ import annotations

import sys
from typing import TypeVar

import tyro

from score.config import ScoreConfig
from score.processes import do_together
from score.run import score
from train.command import run_command
from train.update.config import read_as_named

INTERRUPTED = "the parts that were written stay, and the same command goes on"
Config = TypeVar("Config", bound=ScoreConfig)


def parse_config(arguments: list[str], kind: type[Config]) -> Config:
    """The options; how to read new ratings is, until it is given, as the version's own were read.

    Raises:
        ArtifactError, OSError: the artifact cannot be read.
    """
    default = kind(**read_as_named("--artifact", ScoreConfig.artifact, arguments))
    return tyro.cli(kind, prog="python -m score", default=default, args=arguments)


def main(arguments: list[str] | None = None) -> int:
    """Parses options and scores; returns the exit status."""
    given = sys.argv[1:] if arguments is None else arguments
    return run_command("score", lambda: _score(given), INTERRUPTED)


def _score(arguments: list[str]) -> str:
    config = parse_config(arguments, ScoreConfig)
    return score(config, lambda work: do_together(work.shares(config.most_processes)))


if __name__ == "__main__":
    sys.exit(main())
