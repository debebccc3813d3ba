"""Titles, genres and years of the movies of an adopted network."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd

from train.adopt.config import AdoptConfig
from train.adopt.id_columns import IdColumns
from train.adopt.id_files import NetworkIds
from train.dataset.data import MOVIE_ID, RatingsData
from train.dataset.reading import Reading
from train.errors import DataError
from train.readers.catalogue import catalogue_frame, option_of_catalogue
from train.readers.movies_file import read_movies_file
from train.readers.opening import open_source
from train.readers.rules import ReadingRules
from train.readers.source import Place, Source
from train.readers.text import Layout


def read_facts(
    config: AdoptConfig, movies: NetworkIds, data: RatingsData | None, reading: Reading
) -> pd.DataFrame | None:
    """Facts about the movies, one row each: from --catalogue, else --movies, else a catalogue beside the ratings.

    Raises:
        DataError: the file of --catalogue cannot be read, or knows none of the movies; or there is no column that an
            option names.
    """
    if config.catalogue is not None:
        source = _file_of_catalogue(config.catalogue)
        return _read(source, replace(config.catalogue_rules, movie_column=config.movie_column), (), movies, reading)
    if movies.columns is not None and movies.columns.others:
        try:
            return _read_beside_ids(config, movies.columns, movies, reading)
        except DataError as error:
            if config.names_facts:
                raise
            option = option_of_catalogue(config.words)
            reading.warn(f"the other columns of {option} are not used, so they give no titles: {error}")
    if data is not None and data.movies is not None:
        return data.movies
    if config.names_facts:
        given = config.title_column or config.genres_column or config.year_column
        told = f"no column {given}: it holds nothing but the ids of the {config.words.items}"
        raise DataError(f"{movies.source}: {told}; --catalogue names a file with more")
    return None


def _file_of_catalogue(path: Path) -> Source:
    source = Place.at(path).source
    if source is None:
        raise DataError(f"--catalogue: {path}: is a folder; allowed is a file")
    return source


def _read_beside_ids(config: AdoptConfig, columns: IdColumns, movies: NetworkIds, reading: Reading) -> pd.DataFrame:
    """The other columns of --movies."""
    rules = replace(config.catalogue_rules, movie_column=columns.id, header=config.header)
    return _read(Source(config.movies), rules, () if columns.row is None else (columns.row,), movies, reading)


def _read(
    source: Source, rules: ReadingRules, taken: tuple[str, ...], movies: NetworkIds, reading: Reading
) -> pd.DataFrame:
    inner = Reading(words=reading.words)
    opened = open_source(source, rules, Layout(), inner)
    catalogue, described = read_movies_file(opened, rules, inner, taken)
    frame = catalogue_frame(catalogue, movies.ids.integer)
    number = int((movies.ids.rows(frame[MOVIE_ID].tolist()) != movies.ids.unknown).sum())
    items = reading.words.items
    if not number:
        raise DataError(f"{source.name}: knows none of the network's {items}; name another by --catalogue")
    reading.add(inner)
    reading.say(f"catalogue {source.name}: {described}; knows {number:,} of {len(movies.ids):,} {items}")
    return frame
