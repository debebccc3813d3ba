"""A scoring from its options to its result. How the missing parts are made is the caller's choice."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

from tqdm import tqdm

from model.artifact import Artifact, load_artifact
from model.vocabulary import counted
from score.asked import AskedUsers, asked_users
from score.config import ScoreConfig
from score.lists import Wanted
from score.parts import PartFolder
from score.work import Work
from train.compile_head import compile_head

# Makes and writes the parts of the work; yields numbers of users that are done.
Do = Callable[[Work], Iterator[int]]


def score(config: ScoreConfig, do: Do) -> str:
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
        done = _make(config, wanted, folder, asked, missing, do)
    if not missing:
        return f"{config.out}: the lists of {counted(len(asked), 'user')} were already there, nothing was left to do"
    there = parts - len(missing)
    told = f"; {counted(there, 'part')} of {parts} lay there already" if there else ""
    pairs = done * len(artifact.movie_ids)
    spent = time.perf_counter() - started
    speed = f", {pairs / spent:,.0f} pairs/s" if done else ""
    return f"wrote {config.out}: the lists of {counted(done, 'user')} in {spent:.1f} s{speed}{told}"


def _made_of(artifact: Artifact, wanted: Wanted, asked: AskedUsers, config: ScoreConfig) -> dict[str, object]:
    options = {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(wanted).items()}
    return {"model": artifact.metadata["digest"], **options, "users": asked.digest(), "part_users": config.part_users}


def _make(
    config: ScoreConfig, wanted: Wanted, folder: PartFolder, asked: AskedUsers, missing: list[int], do: Do
) -> int:
    """Makes the missing parts; returns the number of users."""
    size = config.part_users
    todo = [(number, asked.part(number * size, (number + 1) * size)) for number in missing]
    if not todo:
        return 0
    done = 0
    with (
        tempfile.TemporaryDirectory(prefix="ncf-score-") as code,
        tqdm(total=sum(len(part) for _, part in todo), unit=" users", disable=None) as progress,
    ):
        head = compile_head(Path(code))
        for users in do(Work(config.artifact, head, wanted, folder, todo)):
            done += users
            progress.update(users)
    return done
