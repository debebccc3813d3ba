"""`python -m train.update`: makes a new version of a model from new ratings, without training.

1. Merge the old and new ratings and ids (train/update/merge.py). A new user or movie starts with the unknown's row.
2. Update the rows of movies with new ratings (train/update/movie_rows.py).
3. Compute the row of every user who rated one of these movies, from all of their ratings (`encode_users`).
4. Count the popularity of every movie, and add the new events. The interest's weights do not change: a new movie has
   none until a training.

All other rows do not change by a single bit. Neither do the network, the rating scale, and the unknown rows. Updating
only new movies in step 2 would change fewer rows, but would lose part of the gain in accuracy.

The ratings and users of a version may be larger than the memory. They are read where the artifact is mapped, a few
users at a time, and written into mapped arrays (train/scratch.py).
"""

from __future__ import annotations

import datetime
import sys
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from model.archive import MODEL_CARD
from model.artifact import Artifact, describe_artifact, load_artifact, save_artifact
from model.factor_network import FactorNetwork
from model.history import History
from model.vocabulary import Vocabulary, counted
from train.command import run_command
from train.dataset.data import MOVIE_ID, TIME, USER_ID, EventsData, RatingsData, split_at
from train.dataset.splits import last_rows
from train.errors import DataError
from train.evaluation.model_card import model_card
from train.output import ARTIFACT, CHECKPOINT, HELD_OUT, MEASURED, METRICS
from train.update.chunks import chunks_of_history, who_rated
from train.update.config import UpdateConfig, parse_config
from train.update.grow import grow_interest, grow_network
from train.update.known_rows import NothingNewError
from train.update.merge import merge_catalogues, merge_ratings
from train.update.movie_rows import update_movie_rows
from train.update.news import new_data


@dataclass(frozen=True)
class Update:
    """An updated artifact, and counts of what changed, by name: ratings, users and movies."""

    artifact: Artifact
    counts: dict[str, int] = field(default_factory=dict)


def update(base: Artifact, data: RatingsData, version: str, folder: Path | None = None) -> Update:
    """Adds the data's ratings to the artifact.

    folder: for what may be larger than the memory, until the result is no longer used; None is the system's temporary
    folder.

    Raises:
        ArtifactError: its network cannot be updated.
        DataError: the data's ids have another type.
        OSError: the disk is full.
    """
    merged = merge_ratings(base, data, folder)
    network = grow_network(base, merged, folder)
    new = merged.new
    movies = torch.unique(new.movie_index)
    if len(new):
        update_movie_rows(network, merged, movies)
    _encode(network, merged.history, who_rated(merged.history, movies))
    counts = {
        "ratings": len(new),
        "events": merged.num_new_events,
        "repeated_pairs": merged.repeated_pairs(),
        "users": len(torch.unique(new.user_index)),
        "new_users": len(merged.user_ids) - len(base.user_ids),
        base.words.items: len(movies),
        f"new_{base.words.items}": len(merged.movie_ids) - len(base.movie_ids),
    }
    catalogue = merge_catalogues(base.catalogue, data.movies, merged)
    metadata = _metadata(base.metadata, data, version, counts)
    interest = None if base.interest is None else grow_interest(base.interest, merged)
    parts = network, merged.user_ids, merged.movie_ids, base.scale, merged.history, catalogue
    return Update(Artifact(*parts, metadata, interest, merged.events), counts)


def _encode(network: FactorNetwork, history: History, users: Tensor) -> None:
    """Computes the rows of these users from their ratings."""
    with torch.no_grad():
        for rows, told in chunks_of_history(history, users, network.size):
            row = network.encode_users(told.user_index, told.movie_index, told.rating, len(rows))
            network.user_embedding.weight[rows] = row


def _metadata(base: dict[str, Any], data: RatingsData, version: str, counts: dict[str, int]) -> dict[str, Any]:
    """The base's metadata plus a description of the update. It marks the metrics as those of the trained version."""
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    trained = {name: base.get(name) for name in ("version", "digest", "created")}
    step = {
        "version": version,
        "from_version": base.get("version"),
        "from_digest": base.get("digest"),
        "data": {"file": data.source.name, "sha256": data.sha256, "newest": data.newest},
        **counts,
        "created": now,
    }
    return {
        **base,
        "version": version,
        "created": now,
        "metrics_of": base.get("metrics_of", trained),
        "updated_from": base.get("digest"),
        "updates": [*base.get("updates", []), step],
    }


def run(config: UpdateConfig) -> str:
    """Reads, updates, and writes `config.out`/ncf.pt in one step; returns the lines to print."""
    started = time.perf_counter()
    torch.set_num_threads(1)  # as in training
    target = config.out / ARTIFACT
    if target.resolve() == config.base.resolve():
        raise DataError(f"{config.base}: is the version to update; give the new version another name")
    if target.exists():
        raise DataError(f"{target}: already exists, and a version is never replaced: give another --out and --version")
    base = load_artifact(config.base)
    _refuse_other_words(config, base)
    data = new_data(base, config)
    holds_out = config.hold_out and len(data.ratings)
    folder = next(one for one in config.out.absolute().parents if one.is_dir())
    measured = update(base, _but_newest(data, config.hold_out), config.version, folder) if holds_out else None
    updated = update(base, data, config.version, folder)
    if not updated.counts["ratings"] and not updated.counts["events"]:
        raise NothingNewError(
            f"{config.events}: the version to update already has a rating or an event of each pair", data
        )
    config.out.mkdir(parents=True, exist_ok=True)
    if measured is not None:
        save_artifact(measured.artifact, config.out / MEASURED)
    else:
        (config.out / MEASURED).unlink(missing_ok=True)
    digest = save_artifact(updated.artifact, target)
    _replace_other_outputs(config.out, describe_artifact(updated.artifact, digest))
    return (
        f"{data.reading.text()}\n{data.source}: {_told_of(updated.counts, base.words)}\n"
        f"wrote {target}, digest {digest[:16]}, from version {base.metadata.get('version')} "
        f"in {time.perf_counter() - started:.1f} s"
    )


def _told_of(count: dict[str, int], words: Vocabulary) -> str:
    items = counted(count[words.items], words.item, words.items)
    return (
        f"{counted(count['ratings'], 'rating')} ({count['repeated_pairs']:,} of pairs rated before) "
        f"by {counted(count['users'], 'user')} ({count['new_users']:,} new) "
        f"of {items} ({count[f'new_{words.items}']:,} new); {counted(count['events'], 'new event')}"
    )


def _but_newest(data: RatingsData, share: float) -> RatingsData:
    """The data without this share of its ratings: the newest ones, or random ones if it has no times.

    Raises:
        DataError: there are too few ratings; one side would be empty.
    """
    rows = len(data.ratings)
    if TIME in data.ratings:
        held_out = last_rows(data.ratings[TIME].to_numpy(), share)
    else:
        held_out = np.random.default_rng(0).random(rows) < share
    split = split_at(data.ratings, held_out, data.source)
    events = None if data.events is None else _without_pairs(data.events, split.validation)
    return replace(data, ratings=split.train.reset_index(drop=True), events=events)


def _without_pairs(events: EventsData, held_out: pd.DataFrame) -> EventsData:
    """The events without the held-out pairs of user and movie: such an event would reveal the pair."""
    pairs = held_out[[USER_ID, MOVIE_ID]].drop_duplicates()
    joined = events.frame.merge(pairs, how="left", on=[USER_ID, MOVIE_ID], indicator=True)
    return replace(events, frame=events.frame[(joined["_merge"] == "left_only").to_numpy()])


def _refuse_other_words(config: UpdateConfig, base: Artifact) -> None:
    """Refuses other words for items and tags, because a version and its updates have the same clients."""
    if config.words != base.words:
        asked, known = (f"--item {words.item} --tags {words.tags}" for words in (config.words, base.words))
        raise DataError(f"{asked}: the version to update has {known}: leave both options out, or train a new version")


def _replace_other_outputs(out: Path, metadata: dict[str, Any]) -> None:
    """Removes the files of an earlier training from this folder, and writes the model card."""
    for name in (CHECKPOINT, METRICS, HELD_OUT, "learning_curve.png", "rating_histogram.png", "report.html"):
        (out / name).unlink(missing_ok=True)
    (out / MODEL_CARD).write_text(model_card(metadata), encoding="utf-8")


def main(arguments: list[str] | None = None) -> int:
    """Parses options and updates; returns the exit status."""
    given = sys.argv[1:] if arguments is None else arguments
    return run_command("update", lambda: run(parse_config(given)))


if __name__ == "__main__":
    sys.exit(main())
