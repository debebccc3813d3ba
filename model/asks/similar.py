"""The movies that are most similar to one movie."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from model.asks.base import NO_ROWS, Call, RawId, Run, ServedModel


class SimilarAnswer(NamedTuple):
    """Movies, most similar first: raw ids, rows (K,) and cosines (K,); `own_row` is num_movies for an unknown movie."""

    movie_ids: Sequence[Any]
    movie_index: np.ndarray
    cosines: np.ndarray
    own_row: int
    movie_known: bool

    def num_pairs(self) -> int:
        """0: no pair is rated."""
        return 0

    def num_unknown(self) -> int:
        """1 if the movie is unknown, else 0."""
        return int(not self.movie_known)


class SimilarAsk(NamedTuple):
    """Which `number` movies are most similar to this one?

    `genres`, if not empty, leaves out the movies that have none of these genres. `exclude` leaves out these movies.
    `fields` are the facts that the answer shows about each movie besides title and genres.
    """

    movie_id: RawId
    number: int
    genres: Sequence[str] = ()
    exclude: Sequence[RawId] = ()
    fields: Sequence[str] = ()

    def plan(self, model: ServedModel, call: Call) -> Run[SimilarAnswer]:  # noqa: ARG002  every ask gets them
        """No pairs: the answer compares movies with each other."""
        return Run(NO_ROWS, NO_ROWS, lambda _: find_similar(self, model))


def find_similar(ask: SimilarAsk, model: ServedModel) -> SimilarAnswer:
    """The answer. An unknown movie, and a movie with a zero vector, has no similar movies."""
    if model.similarity is None:
        raise NotImplementedError("this model's network has no vectors to compare")
    row = model.movie_ids.row(ask.movie_id)
    unknown = model.movie_ids.unknown
    if row == unknown:
        return SimilarAnswer([], NO_ROWS, np.empty(0), row, False)
    if ask.genres or ask.exclude:
        keep = model.catalogue.mask(ask.genres) if ask.genres else np.ones(unknown, dtype=bool)
        left_out = model.movie_ids.rows(ask.exclude)
        keep[left_out[left_out < unknown]] = False
        found = model.similarity.nearest_of(keep, row, ask.number)
    else:
        found = model.similarity.nearest(row, ask.number)
    return SimilarAnswer(model.movie_ids.raw(found.rows), found.rows, found.cosines, row, True)
