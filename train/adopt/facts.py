"""Titles, genres and years of the movies of an adopted network."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd

from model.ids import IdMap
from train.adopt.config import AdoptConfig
from train.dataset.data import MOVIE_ID, RatingsData
from train.dataset.reading import Reading
from train.errors import DataError
from train.readers.catalogue import catalogue_frame
from train.readers.movies_file import read_catalogue
from train.readers.rules import ReadingRules
from train.readers.source import JSON_SUFFIXES, PARQUET_SUFFIXES, TEXT_SUFFIXES, Place

_TABLES = (*TEXT_SUFFIXES, *PARQUET_SUFFIXES, *JSON_SUFFIXES)


def read_facts(
    config: AdoptConfig, movie_ids: IdMap, data: RatingsData | None, reading: Reading
) -> pd.DataFrame | None:
    """Facts about the movies, one row each: from --catalogue, else --movies, else a catalogue beside the ratings.

    Raises:
        DataError: the file of --catalogue cannot be read, or knows none of the movies.
    """
    if config.catalogue is not None:
        return _read(config.catalogue, None, movie_ids, reading)
    if config.movies.suffix.lower() in _TABLES:
        try:
            return _read(config.movies, config.movie_column, movie_ids, reading)
        except DataError:  # the file may contain nothing but ids
            pass
    return None if data is None else data.movies


def _read(path: Path, movie_column: str | None, movie_ids: IdMap, reading: Reading) -> pd.DataFrame:
    source = Place.at(path).source
    if source is None:
        raise DataError(f"--catalogue: {path}: is a folder; allowed is a file")
    rules = replace(ReadingRules(), movie_column=movie_column)
    catalogue, described = read_catalogue(source, rules, Reading(words=reading.words))
    movies = catalogue_frame(catalogue, movie_ids.integer)
    number = int((movie_ids.rows(movies[MOVIE_ID].tolist()) != movie_ids.unknown).sum())
    if not number:
        told = f"knows none of the network's {reading.words.items}"
        raise DataError(f"{source.name}: {told}; name another by --catalogue")
    reading.say(f"catalogue {source.name}: {described}; knows {number:,} of {len(movie_ids):,} {reading.words.items}")
    return movies
