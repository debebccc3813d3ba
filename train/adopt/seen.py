"""The ratings that users gave so far, with the ids of an adopted network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from model.ids import IdMap
from model.vocabulary import Vocabulary, counted
from train.dataset.data import MOVIE_ID, RATING, USER_ID, RatingsData, count_repeated_pairs
from train.dataset.reading import Reading
from train.dataset.tensors import TrainingSet, look_up_ratings
from train.errors import DataError
from train.readers import load_ratings, names
from train.readers.ids import read_ids
from train.readers.opening import open_source
from train.readers.rules import ReadingRules
from train.readers.sieve import Sieve, tell_bad_lines
from train.readers.source import Place
from train.readers.text import Layout


@dataclass(frozen=True)
class KnownIds:
    """The users and movies of the network; and the rules of its catalogue, with its words for items and tags."""

    users: IdMap
    movies: IdMap
    catalogue_rules: ReadingRules

    @property
    def words(self) -> Vocabulary:
        """The words for items and tags."""
        return self.catalogue_rules.words

    def rules(self) -> ReadingRules:
        """Rules that read the ids of the ratings with the types of the network's ids."""
        types = {name: "integer" if ids.integer else "string" for name, ids in self._sides()}
        return replace(self.catalogue_rules, **types)  # type: ignore[arg-type]

    def _sides(self) -> Iterator[tuple[str, IdMap]]:
        yield "user_ids", self.users
        yield "movie_ids", self.movies


def read_seen(path: Path, known: KnownIds, scale: tuple[float, float] | None, implicit: bool) -> RatingsData:
    """Reads the ratings at `path`. For implicit feedback, each row of a user and a movie counts as 1.

    Raises:
        DataError: the ratings cannot be read.
    """
    return _read_pairs(path, known) if implicit else load_ratings(path, known.rules(), scale)


def index_seen(data: RatingsData, known: KnownIds, reading: Reading) -> TrainingSet:
    """The ratings as rows; those of users or movies that the network does not know are left out.

    Raises:
        DataError: no rating is left.
    """
    words = known.words
    ratings = look_up_ratings(data.ratings, known.users, known.movies)
    is_known = (ratings.user_index != known.users.unknown) & (ratings.movie_index != known.movies.unknown)
    number = int(is_known.sum())
    if not number:
        shown = ", ".join(f"{column} {data.ratings[column].iloc[0]}" for column in (USER_ID, MOVIE_ID))
        ours = f"user {known.users.raw(np.array([0]))[0]}, {words.item} {known.movies.raw(np.array([0]))[0]}"
        raise DataError(
            f"{data.source}: the network knows the user and the {words.item} of no rating: "
            f"the first rating is of {shown}; the network has, for example, {ours}"
        )
    if number < len(ratings):
        left_out = counted(len(ratings) - number, "rating is", "ratings are")
        reading.warn(f"{data.source.name}: {left_out} left out: the network does not know the user or the {words.item}")
    return TrainingSet(ratings.take(torch.nonzero(is_known).squeeze(1)), known.users, known.movies)


def _read_pairs(path: Path, known: KnownIds) -> RatingsData:
    reading, rules = Reading(words=known.words), known.rules()
    source = Place.at(path).source
    if source is None:
        raise DataError(f"--ratings: {path}: got a folder, allowed is one file of users and {known.words.items}")
    opened = open_source(source, rules, Layout(), reading)
    chosen: list[str] = []
    for role in (names.USER, names.MOVIE):
        name = names.choose(role, opened.name, opened.names, None, opened.header, reading, chosen)
        if name is None:
            raise names.missing(role, opened.name, opened.names, known.words)
        chosen.append(name)
    table = opened.read(chosen)
    sieve = Sieve(table, rules.skip_bad_lines)
    users, _ = read_ids(table, chosen[0], names.USER, rules.user_ids, sieve, reading)
    movies, _ = read_ids(table, chosen[1], names.MOVIE, rules.movie_ids, sieve, reading)
    tell_bad_lines(sieve.bad_lines, sieve.first_bad_lines, reading)
    frame = pd.DataFrame({USER_ID: users.to_pandas(), MOVIE_ID: movies.to_pandas()})
    frame[RATING] = 1.0
    reading.say(f"{opened.name}: {counted(len(frame), 'row')} of {chosen[0]} and {chosen[1]}; each counts as 1")
    return RatingsData(frame, None, path, table.sha256, count_repeated_pairs(frame), (0.0, 1.0), table.locate, reading)
