"""The options that benchmarks share, and the checks that come before a measurement."""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from model.artifact import load_artifact


def positive(text: str) -> int:
    """The `type` of an option that takes an integer of at least 1."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"got {text}, expected an integer of at least 1")
    return int(text)


def make_parser(module: str, about: str | None) -> argparse.ArgumentParser:
    """The parser of `python -m MODULE`; its help begins with the first line of the docstring `about`."""
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=str(about).splitlines()[0])
    parser.add_argument(
        "--write-nothing",
        action="store_true",
        help="only print the tables; do not change bench/results and docs/benchmarks.md",
    )
    return parser


def artifact_parser(module: str, about: str | None) -> argparse.ArgumentParser:
    """A parser with `--artifact`, the model that is measured."""
    parser = make_parser(module, about)
    parser.add_argument("--artifact", type=Path, default=Path("build/1.0/ncf.pt"), help="the model to measure")
    return parser


def rounds_parser(module: str, about: str | None, rounds: int, seconds: int) -> argparse.ArgumentParser:
    """A parser with `--artifact`, `--rounds` and `--seconds`, with these defaults."""
    parser = artifact_parser(module, about)
    parser.add_argument("--rounds", type=positive, default=rounds, help="number of rounds; each figure is their median")
    parser.add_argument("--seconds", type=positive, default=seconds, help="the length of each load")
    return parser


def check(parser: argparse.ArgumentParser, artifact: Path, *programs: str, integer_ids: bool = True) -> None:
    """Ends the process with an error of the parser if the artifact or a program is missing, or if the ids are strings.

    integer_ids: whether the benchmark needs integer ids.
    """
    if not artifact.is_file():
        parser.error(f"--artifact: there is no file {artifact}; `make train` writes build/1.0/ncf.pt")
    if absent := [program for program in programs if shutil.which(program) is None]:
        parser.error(f"not installed: {', '.join(absent)}; on Debian: apt-get install wrk gcc libc6-dev")
    loaded = load_artifact(artifact)
    if integer_ids and not (loaded.user_ids.integer and loaded.movie_ids.integer):
        parser.error(f"--artifact: {artifact} has string ids, and this benchmark needs integer ids")
