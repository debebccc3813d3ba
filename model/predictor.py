"""Raw ids in, ratings out. Knows no server and no HTTP.

All asks of a call are scored in one pass: the (user, movie) rows of each lie end to end, the network sees them once,
and each ask takes its own slice back. So a batch costs one forward, however many clients it came from.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from model.artifact import Artifact
from model.asks import Answer, Ask, BestAsk, ColumnsAnswer, ColumnsAsk, ExplainAsk, PairAnswer, PairAsk
from model.explanation import Explainer
from model.ranking import Ranker
from model.scorer import Scorer


class _Run(NamedTuple):
    """Pairs of rows to be rated, two (B,) int64, and what to make of their ratings (B,)."""

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
        self._ranker = Ranker(self.movie_ids, artifact.history, self.catalogue)
        self._explainer = Explainer(self.scorer, artifact)

    def answer(self, asks: Sequence[Ask]) -> list[Answer]:
        """Answers each ask, in order, with one forward for all of them (explanations aside)."""
        runs = [self._pairs([ask for ask in asks if type(ask) is PairAsk])]
        runs += [self._run(ask) for ask in asks if type(ask) is not PairAsk]
        ratings = self.scorer.rate(
            np.concatenate([run.users for run in runs]), np.concatenate([run.movies for run in runs])
        )
        finished, start = [], 0
        for run in runs:
            end = start + len(run.users)
            finished.append(run.finish(ratings[start:end]))
            start = end
        pairs, others = iter(finished[0]), iter(finished[1:])
        return [next(pairs) if type(ask) is PairAsk else next(others) for ask in asks]

    def _run(self, ask: Ask) -> _Run:
        if isinstance(ask, BestAsk):
            return self._best(ask)
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

    def _best(self, ask: BestAsk) -> _Run:
        user = int(self.user_ids.rows([ask.user_id])[0])
        candidates = self._ranker.candidates(ask, user)
        known = user != self.user_ids.unknown
        users = np.full(len(candidates.rows), user)
        return _Run(users, candidates.rows, lambda ratings: self._ranker.ranked(ask, candidates, ratings, known))


_NO_ROWS = np.empty(0, dtype=np.int64)
