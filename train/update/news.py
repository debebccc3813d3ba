"""`python -m train.update.news`: how many ratings a version does not have yet, and when it was trained.

It prints one JSON object and changes nothing. `ops/refresh` decides what to do.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from model.artifact import Artifact, load_artifact
from train.command import run_command
from train.dataset.data import MOVIE_ID, TIME, RatingsData
from train.readers.address import is_database
from train.readers.events import load_events
from train.update.config import UpdateConfig, known_ids, parse_config
from train.update.grow import can_grow
from train.update.known_rows import NothingNewError, newest_of, refuse_known, without_known_rows
from train.update.merge import check_types


def new_data(base: Artifact, config: UpdateConfig) -> RatingsData:
    """The ratings at `config.ratings` that the version does not have, and the events at `config.events`.

    If there are events, there may be no rating.

    Raises:
        NothingNewError: the version has all of the ratings, and there are no events.
        DataError: the ratings or events cannot be read, or their ids have another type.
    """
    if config.events is None:
        return new_ratings(base, config)
    try:
        data = new_ratings(base, config)
    except NothingNewError as nothing:
        data = nothing.data
    ids = known_ids(base, data.ratings[MOVIE_ID].unique().tolist())
    return replace(data, events=load_events(config.events, ids, config.skip_bad_lines, data.reading))


def new_ratings(base: Artifact, config: UpdateConfig) -> RatingsData:
    """The ratings at `config.ratings` that the version does not have.

    Raises:
        NothingNewError: the version has all of them.
        DataError: the ratings cannot be read, or their ids have another type.
    """
    since = newest_of(base.metadata) if is_database(config.ratings) and config.since is None else config.since
    data = replace(config, since=since).read(config.ratings, (base.scale.minimum, base.scale.maximum))
    refuse_known(base.metadata, data)
    if config.count_again:
        return data
    check_types(base, data)
    return without_known_rows(base, data)


def news(base: Artifact, config: UpdateConfig) -> dict[str, Any]:
    """The facts to print.

    new: the number of ratings that the version lacks. timed: whether they have times. held: the number that it has.
    trained: how many of those it was trained on; updates added the others. trained_at: the time of the training.
    can_update: whether its network can take new ratings.
    """
    try:
        ratings = new_ratings(base, config).ratings
        number, timed = len(ratings), TIME in ratings
    except NothingNewError:
        number, timed = 0, False
    metadata = base.metadata
    held = len(base.history.ratings)
    return {
        "new": number,
        "timed": timed,
        "held": held,
        "trained": held - sum(step["ratings"] for step in metadata.get("updates", [])),
        "trained_at": metadata.get("metrics_of", metadata).get("created"),
        "can_update": can_grow(base),
    }


def _run(arguments: list[str]) -> str:
    config = parse_config(arguments)
    return json.dumps(news(load_artifact(Path(config.base)), config))


def main(arguments: list[str] | None = None) -> int:
    """Prints what is new; returns the exit status."""
    given = sys.argv[1:] if arguments is None else arguments
    return run_command("news", lambda: _run(given))


if __name__ == "__main__":
    sys.exit(main())
