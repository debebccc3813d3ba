"""What the benchmarks' options have in common, and what must be there before one begins."""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from model.artifact import load_artifact


def positive(text: str) -> int:
    """An option's integer of at least 1, as a `type` of argparse."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"got {text}, expected an integer of at least 1")
    return int(text)


def rounds_parser(module: str, about: str, seconds: int) -> argparse.ArgumentParser:
    """The parser of `python -m MODULE`, which measures an artifact in rounds of loads of so many seconds."""
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=about.splitlines()[0])
    parser.add_argument("--artifact", type=Path, default=Path("build/1.0/ncf.pt"))
    parser.add_argument("--rounds", type=positive, default=5)
    parser.add_argument("--seconds", type=positive, default=seconds, help="of each load")
    return parser


def check(parser: argparse.ArgumentParser, artifact: Path, *programs: str) -> None:
    """Ends the process with the parser's words where the artifact or a program is missing, or ids are strings."""
    if not artifact.is_file():
        parser.error(f"--artifact: there is no file {artifact}")
    if absent := [program for program in programs if shutil.which(program) is None]:
        parser.error(f"not installed: {', '.join(absent)}; apt-get install wrk gcc libc6-dev")
    loaded = load_artifact(artifact)
    if not (loaded.user_ids.integer and loaded.movie_ids.integer):
        parser.error(f"--artifact: the ids of {artifact} are strings, and the benchmark needs integer ids")
