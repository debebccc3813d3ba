"""The options of an update. The defaults are those of the training of the version to update."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tyro

from model.artifact import Artifact, load_artifact
from model.ids import IdMap
from train.config import RATINGS_OPTIONS
from train.option_rules import check_value
from train.readers.events import KnownIds
from train.readers.options import ReaderOptions
from train.readers.rules import IdType

# New ratings are read with these options of the base, from its metadata, and with the types of its ids.
_REMEMBERED = set(RATINGS_OPTIONS) - {"format", "copies", "skip_bad_lines", "user_ids", "movie_ids", "since"}

_OF_A_DATABASE = {"query", "table", "movies_query"}


@dataclass(frozen=True, kw_only=True)
class UpdateConfig(ReaderOptions):
    """Make a new version of a model from new ratings, without training."""

    ratings: str | Path
    """A folder, file or database of new ratings, on the rating scale of the version to update."""
    base: Path = Path("build/1.0/ncf.pt")
    """The artifact to update. It is not changed."""
    out: Path = Path("build/1.1")
    """Folder for the new artifact."""
    version: str = "1.1"
    """Version name, written into the metadata of the new model."""
    hold_out: float = 0.0
    """Share of the new ratings, the newest ones, to hold out; 0 <= hold_out < 1. A second model, `measured.pt`, is
    updated without them and measured on them. The served model takes all ratings."""
    events: Path | None = None
    """A file of new clicks, views or purchases without ratings. Then `ratings` may hold nothing new."""
    count_again: bool = False
    """Add ratings even if the base already has the same user, movie and rating."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_value("hold_out", self.hold_out, 0 <= self.hold_out < 1, "0 up to, not including, 1")


@dataclass(frozen=True)
class Reading(ReaderOptions):
    """Options for reading ratings for a version."""


def parse_config(arguments: list[str]) -> UpdateConfig:
    """Parses the options. The defaults for reading are the options that read the base's own ratings.

    Raises:
        ArtifactError, OSError: the base cannot be read.
    """
    default = UpdateConfig(ratings=tyro.MISSING, **read_as_named("--base", UpdateConfig.base, arguments))
    return tyro.cli(UpdateConfig, prog="python -m train.update", default=default, args=arguments)


def read_as_named(option: str, default: Path, arguments: list[str]) -> dict[str, Any]:
    """The reading options of the artifact that `option` names among the arguments; {} if the file does not exist.

    Raises:
        ArtifactError, OSError: the artifact cannot be read.
    """
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument(option, dest="artifact", type=Path, default=default)
    named: Path = parser.parse_known_args(arguments)[0].artifact
    return how_it_was_read(load_artifact(named)) if named.is_file() else {}


def reading_of(base: Artifact, from_database: bool) -> Reading:
    """Options for reading other ratings in the same way as the version's own ratings.

    from_database: keep the options that only a database has.
    """
    found = how_it_was_read(base)
    return Reading(**{name: value for name, value in found.items() if from_database or name not in _OF_A_DATABASE})


def how_it_was_read(base: Artifact) -> dict[str, Any]:
    """The options for reading that also apply to new ratings."""
    read_as = base.metadata.get("config", {})
    options = {name: read_as[name] for name in _REMEMBERED if read_as.get(name) is not None}
    if "not_rated" in options:
        options["not_rated"] = tuple(options["not_rated"])
    types = {"user_ids": _type_of(base.user_ids), "movie_ids": _type_of(base.movie_ids)}
    return options | base.words.to_dict() | types


def known_ids(base: Artifact, new_movies: Sequence[Any] = ()) -> KnownIds:
    """The ids of this version, which events must match. new_movies: raw ids that the same update adds."""
    movies = [*base.movie_ids.raw(np.arange(len(base.movie_ids))), *new_movies]
    owner = f"version {base.metadata.get('version')}"
    return KnownIds(_type_of(base.user_ids), _type_of(base.movie_ids), movies, owner)


def _type_of(ids: IdMap) -> IdType:
    return "integer" if ids.integer else "string"
