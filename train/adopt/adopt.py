"""Makes an artifact from a network that was trained elsewhere, its ids, and optional facts and ratings."""

from __future__ import annotations

import datetime
import hashlib
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from model.adopted_network import AdoptedNetwork, AdoptedTowers, ToUnit
from model.artifact import Artifact
from model.history import History
from model.interest import Interest
from model.scale import RatingScale
from model.vocabulary import METADATA
from train.adopt.checks import check_network, check_output, check_unknown_rows, unused_rows
from train.adopt.config import AdoptConfig
from train.adopt.facts import read_facts
from train.adopt.id_columns import Side
from train.adopt.id_files import NetworkIds, read_network_ids
from train.adopt.inputs import has_towers, of_two_indices
from train.adopt.load_network import load_network
from train.adopt.seen import KnownIds, index_seen, read_seen
from train.adopt.vectors import declared_vectors
from train.adopt.wrap import wrap_network, wrap_towers
from train.dataset.data import RatingsData
from train.dataset.figures import describe_data
from train.dataset.reading import Reading
from train.dataset.tensors import TrainingSet
from train.errors import DataError
from train.interest.config import InterestConfig
from train.interest.fit import Blend, fit_interest, history_of
from train.output import build_catalogue, most_rated
from train.readers import names

_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class Adopted:
    """The artifact, and the report about its files."""

    artifact: Artifact
    reading: Reading


@dataclass(frozen=True)
class _Seen:
    """The ratings so far, as read from the file and as rows; both None if no ratings were given."""

    data: RatingsData | None = None
    rows: TrainingSet | None = None


def adopt(config: AdoptConfig) -> Adopted:
    """Makes the artifact from a network and its ids.

    Raises:
        DataError: a file cannot be read, or the network cannot be served.
    """
    reading = Reading(words=config.words)
    users = read_network_ids(config.users, _user_side(config), config.header, reading)
    movies = read_network_ids(config.movies, _movie_side(config), config.header, reading)
    for ids, what in ((users, "users"), (movies, config.words.items)):
        reading.say(f"ids: {len(ids.ids):,} {what} of {ids.source}; {ids.found_as}")
    loaded = load_network(config.model, config.module, config.module_args)
    seen = _read_seen(config, KnownIds(users.ids, movies.ids, config.catalogue_rules), reading)
    scale = _scale(config, seen.data)
    network = _checked(config, loaded, (users, movies), scale, reading)
    facts = read_facts(config, movies, seen.data, reading)
    interest = _interest(seen.rows, network, scale)
    artifact = Artifact(
        network,
        users.ids,
        movies.ids,
        scale,
        _no_history(len(users.ids)) if seen.rows is None else history_of(seen.rows),
        build_catalogue(facts, movies.ids),
        _metadata(config, users, movies, seen, reading),
        interest,
    )
    return Adopted(artifact, reading)


def _checked(
    config: AdoptConfig,
    loaded: torch.jit.ScriptModule,
    ids: tuple[NetworkIds, NetworkIds],
    scale: RatingScale,
    reading: Reading,
) -> AdoptedNetwork | AdoptedTowers:
    """The network, checked and wrapped in the protocol that serving needs."""
    name = config.model.name
    unknown = config.unknown_user_row, config.unknown_movie_row
    towers = has_towers(loaded, name)
    network = of_two_indices(loaded, name, scale)
    with torch.inference_mode():
        scores = check_network(network, *ids, name)
        check_unknown_rows(network, *ids, unknown, name)
        reading.warnings += unused_rows(network, *ids, unknown)
    reading.warnings += check_output(scores, config.output, scale, name)
    to_unit = ToUnit(config.output, scale)
    low, high = float(scores.min()), float(scores.max())
    vectors = declared_vectors(loaded, config.movie_vectors, ids[1], name, config.words)
    kind = "two towers and a head" if towers else "a score of two indices"
    kind += f", {config.words.item} vectors of {vectors.shape[1]} numbers" if vectors.shape[1] else ""
    reading.say(f"network: {kind}; {config.output} {low:.4g} to {high:.4g} over the checked pairs")
    if towers:
        return wrap_towers(network, to_unit, *ids, unknown, vectors, name)
    return wrap_network(network, to_unit, *ids, unknown, vectors)


def _read_seen(config: AdoptConfig, known: KnownIds, reading: Reading) -> _Seen:
    if config.ratings is None:
        return _Seen()
    data = read_seen(config.ratings, known, config.rating_scale, config.implicit)
    reading.add(data.reading)
    return _Seen(data, index_seen(data, known, reading))


def _scale(config: AdoptConfig, data: RatingsData | None) -> RatingScale:
    """The given scale, else that of the ratings. Without both, scores in 0..1 have the scale 0..1."""
    if config.rating_scale is not None:
        return RatingScale(*config.rating_scale)
    if data is not None:
        return RatingScale(*data.rating_scale)
    if config.output == "rating":
        told = "OUTPUT=rating needs the rating scale, and none was given"
        way = 'give SCALE="1 5", or RATINGS=FILE with ratings, or another OUTPUT: unit, logit or probability'
        raise DataError(f"SCALE: {told}: {way}")
    return RatingScale(0.0, 1.0)


def _no_history(num_users: int) -> History:
    nothing = np.empty(0, dtype=np.int64)
    return History.from_ratings(nothing, nothing, nothing, num_users)


def _interest(rows: TrainingSet | None, network: torch.nn.Module, scale: RatingScale) -> Interest | None:
    """The interest part, fitted to the ratings; None if there are no ratings."""
    if rows is None:
        return None
    config = InterestConfig()
    return fit_interest(rows, network, scale, config, _BLEND)


# Training chooses this value on an inner split, which needs a new fit of the network. Here the network is given.
_BLEND = Blend(rating_share=1.0, restraint=0.5)


def _metadata(
    config: AdoptConfig, users: NetworkIds, movies: NetworkIds, seen: _Seen, reading: Reading
) -> dict[str, Any]:
    example = {
        "user_id": users.ids.raw(np.array([0]))[0],
        config.words.item_ids: movies.ids.raw(np.arange(min(3, len(movies.ids)))),
    }
    if seen.rows is not None:
        example = most_rated(seen.rows, config.words)
    found: dict[str, Any] = {
        "version": config.version,
        METADATA: config.words.to_dict(),
        "architecture": config.module.rpartition(":")[2] or "TorchScript",
        "adopted": {
            "file": config.model.name,
            "sha256": _sha256(config.model),
            "module": config.module.replace("\\", "/").rpartition("/")[2],
            "output": config.output,
            "reading": reading.lines,
        },
        "libraries": {"torch": torch.__version__, "numpy": np.__version__, "python": platform.python_version()},
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "example": example,
    }
    return found if seen.data is None else {**found, "data": describe_data(seen.data)}


def _user_side(config: AdoptConfig) -> Side:
    return Side("users", "user", names.USER, config.user_column, config.user_row_column)


def _movie_side(config: AdoptConfig) -> Side:
    words = config.words
    return Side(words.items, words.item, names.MOVIE.said_in(words), config.movie_column, config.movie_row_column)


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
