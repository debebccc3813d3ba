"""`python -m train.compare`: compare two versions on ratings that neither was trained on, and write a JSON file."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
import torch
import tyro

from model.artifact import Artifact
from model.files import atomic_write
from model.ids import IdMap
from train.command import run_command
from train.compare.config import CompareConfig
from train.compare.judges import Judge, choose_judges, judges_of, newest_rows
from train.compare.measure import compare_errors, compare_rankings
from train.dataset.data import MOVIE_ID, RATING, TIME, USER_ID
from train.errors import DataError
from train.readers.address import is_database
from train.update.config import reading_of

# Two versions with a smaller share of common movies are made from different data.
SAME_ITEMS = 0.5
_COLUMNS = (USER_ID, MOVIE_ID, RATING, TIME)


def compare(config: CompareConfig) -> dict[str, Any]:
    """The figures of both versions.

    Raises:
        DataError: the versions are made from different data, or the ratings cannot be read.
    """
    torch.set_num_threads(1)
    versions, others = judges_of(config.version), judges_of(config.other)
    served, other = versions[0].artifact, others[0].artifact
    _refuse_other_data(served, other, config)
    frames = [*_read(served, config.data), *_read(other, config.other_data)]
    if not frames:
        raise DataError("no ratings to compare on: name them with --data")
    ratings = _first_ratings(pd.concat(frames, ignore_index=True))
    pair = choose_judges(versions, others, ratings)
    newest = newest_rows(pair, ratings)
    rows = ratings[pair.unseen if newest is None else newest]
    told = {
        "version": _facts(versions[0], pair.judge),
        "other": _facts(others[0], pair.other),
        "rows": {"number": len(rows), "newest": newest is not None, "read": len(ratings)},
    }
    if not len(rows):
        return {**told, "errors": None, "rankings": None}
    rankings = compare_rankings(pair, rows)
    errors = asdict(compare_errors(pair, rows))
    return {**told, "errors": errors, "rankings": None if rankings is None else asdict(rankings)}


def _read(artifact: Artifact, sources: Sequence[str]) -> list[pd.DataFrame]:
    """The ratings of each source, with ids of the artifact's types."""
    frames = []
    for source in dict.fromkeys(sources):
        rules = reading_of(artifact, is_database(source))
        data = rules.read(source, (artifact.scale.minimum, artifact.scale.maximum))
        frames.append(data.ratings[[name for name in _COLUMNS if name in data.ratings]])
    return frames


def _first_ratings(ratings: pd.DataFrame) -> pd.DataFrame:
    """Only the first rating of each user and movie, because an early training saw that one."""
    ordered = ratings.sort_values(TIME, kind="stable") if TIME in ratings else ratings
    return ordered.drop_duplicates([USER_ID, MOVIE_ID], ignore_index=True)


def _refuse_other_data(one: Artifact, two: Artifact, config: CompareConfig) -> None:
    share = _shared(one.movie_ids, two.movie_ids)
    names = f"{config.version.name} and {config.other.name}"
    if share < SAME_ITEMS:
        told = f"they share {share:.0%} of their {one.words.item} ids"
        raise DataError(f"versions {names} are made from different data: {told}")
    if one.scale != two.scale:
        raise DataError(f"versions {names} are made from different data: their rating scales differ")


def _shared(one: IdMap, two: IdMap) -> float:
    if one.integer != two.integer:
        return 0.0
    return len(np.intersect1d(one.ids, two.ids)) / max(1, min(len(one), len(two)))


def _facts(served: Judge, judge: Judge) -> dict[str, Any]:
    """Facts about a version: how much it knows, and which model represented it."""
    artifact = served.artifact
    return {
        "version": artifact.metadata.get("version"),
        "ratings": len(artifact.history.ratings),
        "users": len(artifact.user_ids),
        "movies": len(artifact.movie_ids),
        "judged": judge.kind,
        "judged_ratings": len(judge.artifact.history.ratings),
        "adopted": "adopted" in artifact.metadata,
    }


def run(config: CompareConfig) -> str:
    """Compares the versions and writes the figures; returns the line to print."""
    figures = compare(config)
    config.out.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(config.out) as partial:
        partial.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return ""


def main(arguments: list[str] | None = None) -> int:
    """Compares two versions; returns the exit status."""
    given = sys.argv[1:] if arguments is None else arguments
    return run_command("compare", lambda: run(tyro.cli(CompareConfig, prog="python -m train.compare", args=given)))


if __name__ == "__main__":
    sys.exit(main())
