"""The features of a movie: facts of the catalogue as columns of numbers. Its prior mean is a regression on them.

There is one column for each genre, country and grade (1 if the movie has it), and two for the standardised year and its
square. Columns have mean zero over the rated movies, and an unknown fact counts as the mean. So a movie without any
facts has the features of the unknown movie.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from model.ids import IdMap
from train.dataset.data import COUNTRIES, GENRES, GRADE, MOVIE_ID, YEAR

MOST_COLUMNS = 256
_FEWEST_MOVIES = 5  # rated movies for a column; fewer movies cannot show the effect of the fact itself


def movie_features(catalogue: pd.DataFrame, movie_ids: IdMap, rated: np.ndarray) -> Tensor | None:
    """Features (len(movie_ids), D) float32 of the movies, D <= MOST_COLUMNS + 2, or None if there are none.

    catalogue: as `RatingsData.movies`. rated: rows of the movies that have ratings.
    """
    rows = movie_ids.rows(raw_ids(catalogue[MOVIE_ID]))
    inside = rows != movie_ids.unknown
    catalogue, rows = catalogue[inside], rows[inside]
    is_rated = np.zeros(len(movie_ids), dtype=bool)
    is_rated[rated] = True
    columns = [_one_hot(catalogue[name], rows, is_rated) for name in (GENRES, COUNTRIES, GRADE) if name in catalogue]
    if YEAR in catalogue:
        columns.append(_year(catalogue[YEAR], rows, is_rated))
    table = np.concatenate([np.zeros((len(movie_ids), 0), dtype=np.float32), *columns], axis=1)
    return torch.from_numpy(table) if table.shape[1] else None


def raw_ids(column: pd.Series) -> np.ndarray | list[str]:
    """A column of ids in the form that `IdMap.rows` takes."""
    if pd.api.types.is_integer_dtype(column.dtype):
        return column.to_numpy(dtype=np.int64)
    return column.tolist()


def _one_hot(facts: pd.Series, rows: np.ndarray, is_rated: np.ndarray) -> np.ndarray:
    """(M, D): one column for each fact that enough rated movies have, the most common first.

    facts: one fact or a list of facts for each movie.
    """
    each = pd.Series(facts.to_numpy(), index=rows).explode().dropna()
    codes, names = pd.factorize(each.astype(str), sort=True)
    told = np.zeros(len(is_rated), dtype=bool)
    told[each.index] = True
    if not len(names):
        return np.zeros((len(is_rated), 0), dtype=np.float32)
    movies, codes = np.unique(np.stack([each.index.to_numpy(), codes]), axis=1)  # a repeated fact counts once
    counts = np.bincount(codes[is_rated[movies]], minlength=len(names))
    order = np.argsort(-counts, kind="stable")[:MOST_COLUMNS]
    place = np.full(len(names), -1)
    place[order[counts[order] >= _FEWEST_MOVIES]] = np.arange(int((counts[order] >= _FEWEST_MOVIES).sum()))
    has = place[codes] >= 0
    table = np.zeros((len(is_rated), int(place.max()) + 1), dtype=np.float32)
    table[movies[has], place[codes[has]]] = 1
    return _centred(table, told, is_rated)


def _year(years: pd.Series, rows: np.ndarray, is_rated: np.ndarray) -> np.ndarray:
    """(M, 2): the year in standard deviations from the mean, and its square; (M, 0) if all years are equal."""
    year = np.full(len(is_rated), np.nan)
    year[rows] = pd.to_numeric(years, errors="coerce").to_numpy(dtype=np.float64)
    told = ~np.isnan(year)
    seen = year[told & is_rated]
    if len(seen) < _FEWEST_MOVIES or seen.std() == 0:
        return np.zeros((len(is_rated), 0), dtype=np.float32)
    standard = (np.nan_to_num(year, nan=seen.mean()) - seen.mean()) / seen.std()
    standard = standard.clip(-4, 4)  # a wrong year in the catalogue must not dominate a prior
    return _centred(np.stack([standard, standard**2], axis=1).astype(np.float32), told, is_rated)


def _centred(table: np.ndarray, told: np.ndarray, is_rated: np.ndarray) -> np.ndarray:
    """The table minus its means over the rated movies with known facts; rows without known facts become zero."""
    if not (told & is_rated).any():
        return table[:, :0]
    centred: np.ndarray = table - table[told & is_rated].mean(axis=0, dtype=np.float64).astype(np.float32)
    centred[~told] = 0
    return centred
