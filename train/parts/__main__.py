"""`python -m train.parts`: ratings become an artifact part by part, in this process, or in those of torchrun."""

from __future__ import annotations

import os
import sys

from train import distributed
from train.__main__ import parse_options, refuse_to_replace, told_of
from train.command import run_command
from train.parts.config import PartsConfig
from train.parts.group import Group, LostProcessError
from train.parts.run import run


def main(arguments: list[str] | None = None) -> int:
    """Parses options, trains, prints the table; returns the exit status."""
    given = sys.argv[1:] if arguments is None else arguments
    return run_command("train", lambda: _train(given), "nothing was overwritten, --resume continues")


def _train(arguments: list[str]) -> str:
    distributed.end_with_torchrun()
    config = parse_options(arguments, PartsConfig)
    refuse_to_replace(config)
    try:
        group = Group("env://" if int(os.environ.get("WORLD_SIZE", "1")) > 1 else None)
        metrics = run(config, group)
    except LostProcessError as error:  # which has said why, if it could
        raise ValueError(f"{error}; --resume continues") from None
    return told_of(config, metrics) if metrics else ""


if __name__ == "__main__":
    sys.exit(main())
