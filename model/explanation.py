"""How a rating comes about, in rating units that add up, and which of the user's own ratings moved it most.

    rating = mean + user + movie + interaction

`mean` is the rating of an unknown user and an unknown movie; `user` is what knowing the user alone adds to it,
`movie` what knowing the movie alone adds, `interaction` the rest.

A past rating j moved the rating f(u, m) by how much f changes when j is taken back. A network that encodes users from
their ratings is asked for just that: the user without j. For another it is the influence function (Koh & Liang 2017),
restricted to the user's own vector, over which the loss is nearly quadratic (Cheng et al. 2019, "Fast influence
analysis for latent factor models"):

    influence_j = g_m . H^-1 g_j (r_j - f(u, j)),   H = lambda I + sum_j g_j g_j^T,   g_x = d f(u, x) / d user vector
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from model.artifact import Artifact
from model.asks import ExplainAnswer, ExplainAsk
from model.scorer import Scorer

SHOWN = 5
# The last of a user's ratings, at most; without each, the others are encoded once.
_MOST_RATINGS = 300
_RIDGE = 1.0


class Explainer:
    """Explains one pair at a time; costs a backward pass, so it is no part of a batch's forward."""

    def __init__(self, scorer: Scorer, artifact: Artifact) -> None:
        self._scorer = scorer
        self._user_ids = artifact.user_ids
        self._movie_ids = artifact.movie_ids
        self._scale = artifact.scale
        self._history = artifact.history

    def explain(self, ask: ExplainAsk) -> ExplainAnswer:
        """The parts of one rating; unknown ids have parts of 0."""
        user, movie = int(self._user_ids.rows([ask.user_id])[0]), int(self._movie_ids.rows([ask.movie_id])[0])
        no_user, no_movie = self._user_ids.unknown, self._movie_ids.unknown
        users, movies = np.array([user, no_user, user, no_user]), np.array([movie, no_movie, no_movie, movie])
        rating, mean, with_user, with_movie = self._scorer.rate(users, movies).tolist()
        parts = (with_user - mean, with_movie - mean, rating - with_user - with_movie + mean)
        because = self._because(user, movie)
        return ExplainAnswer(rating, mean, *parts, because, user != no_user, movie != no_movie)

    def _because(self, user: int, movie: int) -> list[tuple[Any, int, float, float]]:
        """The user's ratings with the largest influence, by size, each with its own."""
        rated, given = (part[-_MOST_RATINGS:] for part in self._history.of_user(user))
        if not len(rated):
            return []
        influence = (self._left_out if self._scorer.can_encode else self._influence)(user, movie, rated, given)
        order = np.argsort(-np.abs(influence), kind="stable")[:SHOWN]
        names = self._movie_ids.raw(rated[order])
        return list(zip(names, rated[order].tolist(), given[order].tolist(), influence[order].tolist(), strict=True))

    def _left_out(self, user: int, movie: int, rated: np.ndarray, given: np.ndarray) -> np.ndarray:
        """(n,) float64, in rating units: the rating of `movie` less what it would be without each of n ratings."""
        del user  # its row is the encoding of these ratings
        number = len(rated)
        others = np.nonzero(~np.eye(number, dtype=bool))
        guests = [
            *self._scorer.encode_many(others[0], rated[others[1]], given[others[1]], number),
            self._scorer.encode(rated, given),
        ]
        rows = self._user_ids.unknown + 1 + np.arange(number + 1)
        ratings = self._scorer.rate(rows, np.full(number + 1, movie), guests)
        moved: np.ndarray = ratings[-1] - ratings[:-1]
        return moved

    def _influence(self, user: int, movie: int, rated: np.ndarray, given: np.ndarray) -> np.ndarray:
        """(n,) float64, in rating units, of the user's n ratings on the rating of `movie`."""
        device = self._scorer.device
        rows = torch.from_numpy(np.append(rated, movie).astype(np.int64)).to(device)
        vector = self._scorer.user_tower(torch.tensor([user], device=device)).detach().clone()
        each = vector.expand(len(rows), -1).clone().requires_grad_()
        rating = self._scale.to_rating(self._scorer.head(each, self._scorer.movie_tower(rows).clone()))
        (gradient,) = torch.autograd.grad(rating.sum(), each)
        own, target = gradient[:-1].double(), gradient[-1].double()
        residual = torch.from_numpy(given).to(device).double() - rating[:-1].detach().double()
        hessian = own.T @ own + _RIDGE * torch.eye(own.shape[1], dtype=torch.float64, device=device)
        moved: np.ndarray = ((own @ torch.linalg.solve(hessian, target)) * residual).cpu().numpy()
        return moved
