"""`python -m score`: the best movies of every user of a version, as Parquet files."""

from __future__ import annotations

import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

import tyro
from tqdm import tqdm

from model.artifact import Artifact, load_artifact
from score.asked import AskedUsers, asked_users
from score.config import ScoreConfig
from score.lists import Wanted
from score.parts import PartFolder
from score.processes import do_together
from score.work import Work
from train.command import run_command
from train.compile_head import compile_head
from train.dataset.reading import counted
from train.update.config import read_as_named


def parse_config(arguments: list[str]) -> ScoreConfig:
    """The options; how to read new ratings is, until it is given, as the version's own were read.

    Raises:
        ArtifactError, OSError: the artifact cannot be read.
    """
    default = ScoreConfig(**read_as_named("--artifact", ScoreConfig.artifact, arguments))
    return tyro.cli(ScoreConfig, prog="python -m score", default=default, args=arguments)


def score(config: ScoreConfig) -> str:
    """Writes the lists that are missing; returns the lines to print.

    Raises:
        ArtifactError, OSError: the artifact cannot be read, or a list cannot be written.
        ValueError: an option, the users, the ratings or the folder cannot be used.
    """
    config.check()
    started = time.perf_counter()
    artifact = load_artifact(config.artifact)
    wanted = config.wanted(artifact)
    asked = asked_users(config, artifact)
    parts = -(-len(asked) // config.part_users)
    folder = PartFolder(config.out, _made_of(artifact, wanted, asked, config), parts)
    with folder.writing():
        missing = folder.missing()
        done = _make(config, wanted, folder, asked, missing)
    there = parts - len(missing)
    told = f"; {counted(there, 'part')} of {parts} lay there already" if there else ""
    pairs = done * len(artifact.movie_ids)
    spent = time.perf_counter() - started
    speed = f", {pairs / spent:,.0f} pairs/s" if done else ""
    return f"wrote {config.out}: the lists of {counted(done, 'user')} in {spent:.1f} s{speed}{told}"


def _made_of(artifact: Artifact, wanted: Wanted, asked: AskedUsers, config: ScoreConfig) -> dict[str, object]:
    options = {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(wanted).items()}
    return {"model": artifact.metadata["digest"], **options, "users": asked.digest(), "part_users": config.part_users}


def _make(config: ScoreConfig, wanted: Wanted, folder: PartFolder, asked: AskedUsers, missing: list[int]) -> int:
    """Makes the missing parts, in as many processes as there is work for; returns the number of users."""
    size = config.part_users
    todo = [(number, asked.part(number * size, (number + 1) * size)) for number in missing]
    if not todo:
        return 0
    processes = min(config.most_processes, len(todo))
    done = 0
    with (
        tempfile.TemporaryDirectory(prefix="ncf-score-") as code,
        tqdm(total=sum(len(part) for _, part in todo), unit=" users", disable=None) as progress,
    ):
        head = compile_head(Path(code))
        shares = [Work(config.artifact, head, wanted, folder, todo[first::processes]) for first in range(processes)]
        for users in do_together(shares):
            done += users
            progress.update(users)
    return done


def main(arguments: list[str] | None = None) -> int:
    """Parses options and scores; returns the exit status."""
    given = sys.argv[1:] if arguments is None else arguments
    interrupted = "the parts that were written stay, and the same command goes on"
    return run_command("score", lambda: score(parse_config(given)), interrupted)


if __name__ == "__main__":
    sys.exit(main())
