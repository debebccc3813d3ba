"""Raw ids in, ratings out. This module does not depend on a server or on HTTP.

One forward pass rates all asks of a call: their (user, movie) rows are concatenated, and each ask gets its slice of the
ratings. So a batch costs one forward pass, whatever its clients ask.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, cast

import numpy as np

from model.artifact import Artifact
from model.asks import Answer, Ask, BestAnswer, BestAsk, Call, PairAnswer, PairAsk, Run, ServedModel
from model.asks.base import RawId
from model.asks.pair import plan_pairs
from model.ranking import RankBy

_NO_RATINGS = np.empty(0)


class Recommendation(NamedTuple):
    """A movie for a user, with its rating and score; the title is None if the catalogue has none."""

    movie_id: Any
    rating: float
    score: float
    title: str | None


class Predictor:
    """Answers asks with an artifact's network, on the device of that network."""

    def __init__(self, artifact: Artifact, device: str = "cpu") -> None:
        self.model = ServedModel.from_artifact(artifact, device)
        self.user_ids = artifact.user_ids
        self.movie_ids = artifact.movie_ids
        self.catalogue = artifact.catalogue
        self.metadata = artifact.metadata
        self.scorer = self.model.scorer

    def answer(self, asks: Sequence[Ask]) -> list[Answer]:
        """Answers each ask, in order. One forward pass serves all asks, except explanations."""
        if not asks:
            return []
        pair_asks = [ask for ask in asks if type(ask) is PairAsk]
        call = Call(self.model)
        runs: list[Run[Any]] = [ask.plan(self.model, call) for ask in asks if not isinstance(ask, PairAsk)]
        if not pair_asks:
            return self._rate(runs, call)
        pair_answers, *other_answers = self._rate([plan_pairs(pair_asks, self.model), *runs], call)
        next_pair = iter(pair_answers)
        next_other = iter(other_answers)
        return [next(next_pair) if type(ask) is PairAsk else next(next_other) for ask in asks]

    def rate(self, user_id: RawId, movie_id: RawId) -> PairAnswer:
        """The rating of one pair, in rating units, and whether the user and the movie are known."""
        [answer] = self.answer([PairAsk(user_id, movie_id)])
        return cast(PairAnswer, answer)

    def best(self, user_id: RawId, top_k: int = 10, exclude_seen: bool = True) -> list[Recommendation]:
        """The best movies for a user, ranked as the server ranks them.

        The blend of interest and rating sorts them; without an interest part, the rating alone. `exclude_seen` leaves
        out the movies that the user rated, and those of their events.
        """
        rank_by: RankBy = "rating" if self.model.ranking is None else "blend"
        [answer] = self.answer([BestAsk(user_id, top_k=top_k, exclude_seen=exclude_seen, rank_by=rank_by)])
        found = cast(BestAnswer, answer)
        titles = [self.catalogue.shown(row).get("title") for row in found.movie_index.tolist()]
        columns = found.movie_ids, found.ratings.tolist(), found.scores.tolist(), titles
        return [Recommendation(*one) for one in zip(*columns, strict=True)]

    def _rate(self, runs: Sequence[Run[Any]], call: Call) -> list[Any]:
        """The results of all runs. One forward pass rates the pairs of all of them, if there are any."""
        if not any(len(run.users) for run in runs):
            return [run.finish(_NO_RATINGS) for run in runs]
        if len(runs) == 1:
            [run] = runs
            return [run.finish(self.scorer.rate(run.users, run.movies, call.fold_ins))]
        users = np.concatenate([run.users for run in runs])
        movies = np.concatenate([run.movies for run in runs])
        ratings = self.scorer.rate(users, movies, call.fold_ins)
        finished = []
        start = 0
        for run in runs:
            end = start + len(run.users)
            finished.append(run.finish(ratings[start:end]))
            start = end
        return finished
