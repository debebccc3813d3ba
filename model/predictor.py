"""Raw ids in, ratings out. Knows no server and no HTTP.

All asks of a call are scored in one pass: the (user, movie) rows of each lie end to end, the network sees them once,
and each ask takes its own slice back. So a batch costs one forward, however many clients it came from.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from torch import Tensor

from model.artifact import Artifact
from model.asks import (
    Answer,
    Ask,
    BestAsk,
    ColumnsAnswer,
    ColumnsAsk,
    ExplainAsk,
    FoldInAnswer,
    FoldInAsk,
    PairAnswer,
    PairAsk,
)
from model.explanation import Explainer
from model.ranking import Ranker
from model.scorer import Scorer


class _Run(NamedTuple):
    """Pairs of rows to be rated, two (B,) int32 or int64, and what to make of their ratings (B,)."""

    users: np.ndarray
    movies: np.ndarray
    finish: Callable[[np.ndarray], Any]


class Predictor:
    """Answers asks with an artifact's network, on the device where that network lies."""

    def __init__(self, artifact: Artifact, device: str = "cpu") -> None:
        self.user_ids = artifact.user_ids
        self.movie_ids = artifact.movie_ids
        self.catalogue = artifact.catalogue
        self.metadata = artifact.metadata
        self.scorer = Scorer(artifact, device)
        self._history = artifact.history
        self._ranker = Ranker(self.movie_ids, self.catalogue)
        self._explainer = Explainer(self.scorer, artifact)

    def answer(self, asks: Sequence[Ask]) -> list[Answer]:
        """Answers each ask, in order, with one forward for all of them (explanations aside)."""
        guests: list[Tensor] = []
        pair_asks = [ask for ask in asks if type(ask) is PairAsk]
        runs = [self._pairs(pair_asks)]
        if len(pair_asks) == len(asks):
            return list(runs[0].finish(self.scorer.rate(runs[0].users, runs[0].movies)))
        runs += [self._run(ask, guests) for ask in asks if type(ask) is not PairAsk]
        users, movies = (np.concatenate([run[side] for run in runs]) for side in (0, 1))
        ratings = self.scorer.rate(users, movies, guests)
        finished, start = [], 0
        for run in runs:
            end = start + len(run.users)
            finished.append(run.finish(ratings[start:end]))
            start = end
        pairs, others = iter(finished[0]), iter(finished[1:])
        return [next(pairs) if type(ask) is PairAsk else next(others) for ask in asks]

    def _run(self, ask: Ask, guests: list[Tensor]) -> _Run:
        if isinstance(ask, BestAsk):
            user = int(self.user_ids.rows([ask.user_id])[0])
            return self._best(ask, user, self._history.seen(user), user != self.user_ids.unknown)
        if isinstance(ask, FoldInAsk):
            return self._fold_in(ask, guests)
        if isinstance(ask, ExplainAsk):
            return _Run(_NO_ROWS, _NO_ROWS, lambda _: self._explainer.explain(ask))
        assert isinstance(ask, ColumnsAsk)
        return self._columns(ask)

    def _pairs(self, asks: list[PairAsk]) -> _Run:
        """All single pairs of a batch as one run."""
        users = self.user_ids.rows([ask.user_id for ask in asks])
        movies = self.movie_ids.rows([ask.movie_id for ask in asks])
        users_known, movies_known = users != self.user_ids.unknown, movies != self.movie_ids.unknown

        def finish(ratings: np.ndarray) -> Sequence[PairAnswer]:
            return list(map(PairAnswer, ratings.tolist(), users_known.tolist(), movies_known.tolist()))

        return _Run(users, movies, finish)

    def _columns(self, ask: ColumnsAsk) -> _Run:
        users, movies = self.user_ids.rows(ask.user_ids), self.movie_ids.rows(ask.movie_ids)
        known = (users != self.user_ids.unknown, movies != self.movie_ids.unknown)
        return _Run(users, movies, lambda ratings: ColumnsAnswer(ratings, *known))

    def _best(self, ask: BestAsk, user: int, seen: np.ndarray, known: bool) -> _Run:
        candidates = self._ranker.candidates(ask, seen)
        users = np.full(len(candidates.rows), user)
        return _Run(users, candidates.rows, lambda ratings: self._ranker.ranked(ask, candidates, ratings, known))

    def _fold_in(self, ask: FoldInAsk, guests: list[Tensor]) -> _Run:
        """The run of the ask inside, for a guest whose vector is computed from old and new ratings."""
        inner, unknown = ask.ask, self.user_ids.unknown
        user = unknown if inner.user_id is None else int(self.user_ids.rows([inner.user_id])[0])
        given = self.movie_ids.rows(ask.movie_ids)
        movies_known = given != self.movie_ids.unknown
        rated, ratings = self._history.of_user(user)
        kept = ~np.isin(rated, given)
        rated = np.concatenate([rated[kept], given[movies_known]])
        ratings = np.concatenate([ratings[kept], np.asarray(ask.ratings, dtype=np.float32)[movies_known]])
        guests.append(self.scorer.encode(rated, ratings))
        row, known = unknown + len(guests), inner.user_id is None or user != unknown
        run = (
            self._best(inner, row, rated, known) if isinstance(inner, BestAsk) else self._guest_pair(inner, row, known)
        )
        return run._replace(finish=lambda ratings: FoldInAnswer(run.finish(ratings), movies_known))

    def _guest_pair(self, ask: PairAsk, row: int, known: bool) -> _Run:
        movies = self.movie_ids.rows([ask.movie_id])
        movie_known = bool(movies[0] != self.movie_ids.unknown)
        return _Run(np.array([row]), movies, lambda ratings: PairAnswer(float(ratings[0]), known, movie_known))


_NO_ROWS = np.empty(0, dtype=np.int64)
