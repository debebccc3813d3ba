"""Titles, genres and years of the movies of an adopted network."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from train.adopt.config import AdoptConfig
from train.adopt.id_columns import IdColumns
from train.adopt.id_files import NetworkIds
from train.dataset.data import MOVIE_ID, RatingsData
from train.dataset.reading import Reading
from train.errors import DataError
from train.readers.catalogue import Catalogue, catalogue_frame, option_of_catalogue
from train.readers.movies_file import read_catalogue, read_movies_file
from train.readers.opening import open_source
from train.readers.source import Place, Source
from train.readers.text import Layout


class _Facts(NamedTuple):
    """The name of a file, the facts in it, and how they were read."""

    source: str
    catalogue: Catalogue
    described: str


def read_facts(
    config: AdoptConfig, movies: NetworkIds, data: RatingsData | None, reading: Reading
) -> pd.DataFrame | None:
    """Facts about the movies, one row each: from --catalogue, else --movies, else a catalogue beside the ratings.

    Raises:
        DataError: the file of --catalogue cannot be read or contains none of the movies, or a named column does not
            exist.
    """
    inner = Reading(words=reading.words)
    if config.catalogue is not None:
        return _joined(_of_its_own_file(config, config.catalogue, inner), movies, inner, reading)
    if movies.columns is not None and movies.columns.others:
        try:
            return _joined(_beside_ids(config, movies.columns, inner), movies, inner, reading)
        except DataError as error:
            if config.names_facts:
                raise
            option = option_of_catalogue(config.words)
            reading.warn(f"the other columns of {option} are not used, so they give no titles: {error}")
    if data is not None and data.movies is not None:
        return data.movies
    if config.names_facts:
        given = config.title_column or config.genres_column or config.year_column
        told = f"no column {given}: the file has only the ids of the {config.words.items}"
        raise DataError(f"{movies.source}: {told}; give the file that has this column as --catalogue")
    return None


def _of_its_own_file(config: AdoptConfig, path: Path, inner: Reading) -> _Facts:
    source = Place.at(path).source
    if source is None:
        raise DataError(f"--catalogue: {path}: is a folder; allowed is a file")
    rules = replace(config.catalogue_rules, movie_column=config.movie_column)
    return _Facts(source.name, *read_catalogue(source, rules, inner))


def _beside_ids(config: AdoptConfig, columns: IdColumns, inner: Reading) -> _Facts:
    """The other columns of --movies. A row of the network without an id belongs to no movie."""
    rules = replace(config.catalogue_rules, movie_column=columns.id, header=config.header)
    opened = open_source(Source(config.movies), rules, Layout(), inner)
    taken = () if columns.row is None else (columns.row,)
    return _Facts(opened.name, *read_movies_file(opened, rules, inner, taken, skip_without_id=True))


def _joined(facts: _Facts, movies: NetworkIds, inner: Reading, reading: Reading) -> pd.DataFrame:
    frame = catalogue_frame(facts.catalogue, movies.ids.integer)
    number = int((movies.ids.rows(frame[MOVIE_ID].tolist()) != movies.ids.unknown).sum())
    items = reading.words.items
    if not number:
        raise DataError(f"{facts.source}: contains none of the network's {items}; give another file as --catalogue")
    reading.add(inner)
    reading.say(f"catalogue {facts.source}: {facts.described}; contains {number:,} of {len(movies.ids):,} {items}")
    return frame
