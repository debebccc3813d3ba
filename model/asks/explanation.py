"""Explains a rating as a sum in rating units, and names the user's own ratings that changed it most.

    rating = mean + user + movie + interaction

`mean` is the rating of an unknown movie by an unknown user. `user` is what the user alone adds to it, `movie` is what
the movie alone adds, and `interaction` is the rest.

The influence of a past rating j on the rating f(u, m) is the change of f when j is removed. A network that encodes
users from their ratings computes this directly: it encodes the user without j. For any other network this is the
influence function (Koh & Liang 2017), restricted to the user's own vector, because the loss is nearly quadratic in it
(Cheng et al. 2019, "Fast influence analysis for latent factor models"):

    influence_j = g_m . H^-1 g_j (r_j - f(u, j)),   H = lambda I + sum_j g_j g_j^T,   g_x = d f(u, x) / d user vector
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch

from model.asks.base import NO_ROWS, Call, RawId, Run, ServedModel, User
from model.picks import Picks

SHOWN = 5
# An explanation considers at most this many of a user's last ratings, because it encodes the user without each one.
_MOST_RATINGS = 300
_RIDGE = 1.0


class ScoreExplanation(NamedTuple):
    """A recommendation's score as a sum: score = history + popularity + rating.

    `because`: the user's own picks that add most to `history`, as (raw movie id, row, rating, share), largest first. An
    event has no rating: None. `others`: what the user's other picks add to `history`.
    """

    score: float
    history: float
    popularity: float
    rating: float
    because: Sequence[tuple[Any, int, float | None, float]]
    others: float


class ExplainAnswer(NamedTuple):
    """A rating as a sum in rating units: rating = mean + user + movie + interaction.

    `because`: the user's own ratings that changed it most, as (raw movie id, row, rating, change), largest change
    first. `score`: an explanation of the score that sorts recommendations; None if the model has no interest part or
    does not know the movie.
    """

    rating: float
    mean: float
    user: float
    movie: float
    interaction: float
    because: Sequence[tuple[Any, int, float, float]]
    score: ScoreExplanation | None
    user_known: bool
    movie_known: bool

    def num_pairs(self) -> int:
        """One: the pair that is explained."""
        return 1

    def num_unknown(self) -> int:
        """How many of the pair's two ids the model does not know."""
        return (not self.user_known) + (not self.movie_known)


class ExplainAsk(NamedTuple):
    """Why does the model predict this rating of this movie by this user?"""

    user_id: RawId | None
    movie_id: RawId

    def plan(self, model: ServedModel, call: Call) -> Run[ExplainAnswer]:
        """No pairs: an explanation may need a backward pass, so it is computed apart from the common forward pass."""
        return self.plan_for(model.user(self.user_id), model, call)

    def plan_for(self, user: User, model: ServedModel, call: Call) -> Run[ExplainAnswer]:
        """The same for a user who was already looked up or folded in."""
        return Run(NO_ROWS, NO_ROWS, lambda _: explain(user, self.movie_id, model, call))


def explain(user: User, movie_id: RawId, model: ServedModel, call: Call) -> ExplainAnswer:
    """The parts of one rating; the part of an unknown id is 0."""
    movie = model.movie_ids.row(movie_id)
    no_user = model.user_ids.unknown
    no_movie = model.movie_ids.unknown
    users = np.array([user.row, no_user, user.row, no_user])
    movies = np.array([movie, no_movie, no_movie, movie])
    rating, mean, with_user, with_movie = model.scorer.rate(users, movies, call.fold_ins).tolist()
    return ExplainAnswer(
        rating=rating,
        mean=mean,
        user=with_user - mean,
        movie=with_movie - mean,
        interaction=rating - with_user - with_movie + mean,
        because=_strongest_ratings(user, movie, model),
        score=None if movie == no_movie else _explain_score(user.picks, movie, rating, model),
        user_known=user.known,
        movie_known=movie != no_movie,
    )


def _explain_score(picks: Picks, movie: int, rating: float, model: ServedModel) -> ScoreExplanation | None:
    """The parts of the score of `movie`."""
    if model.ranking is None:
        return None
    interest = model.ranking.interests([picks])[0]
    parts = model.ranking.parts(picks, movie, rating, interest)
    order = np.argsort(-np.abs(parts.shares), kind="stable")[:SHOWN]
    rows = picks.movie_index[order]
    shares = parts.shares[order]
    names = model.movie_ids.raw(rows)
    given = [*picks.ratings.tolist(), *[None] * len(picks.events)]
    return ScoreExplanation(
        score=float(interest[movie]) + parts.rating,
        history=float(parts.shares.sum()),
        popularity=parts.popularity,
        rating=parts.rating,
        because=list(zip(names, rows.tolist(), [given[place] for place in order], shares.tolist(), strict=True)),
        others=float(parts.shares.sum() - shares.sum()),
    )


def _strongest_ratings(user: User, movie: int, model: ServedModel) -> list[tuple[Any, int, float, float]]:
    """The user's ratings with the largest influence on the rating of `movie`, largest first, as in `because`."""
    rated, given = model.history.of_user(user.row)
    if user.row > model.user_ids.unknown:  # folded in
        given = user.picks.ratings
        rated = user.picks.movie_index[: len(given)]
    rated, given = rated[-_MOST_RATINGS:], given[-_MOST_RATINGS:]
    if not len(rated):
        return []
    if model.scorer.can_encode:
        influence = _influence_by_leaving_out(movie, rated, given, model)
    else:
        influence = _influence_by_gradients(user.row, movie, rated, given, model)
    order = np.argsort(-np.abs(influence), kind="stable")[:SHOWN]
    names = model.movie_ids.raw(rated[order])
    return list(zip(names, rated[order].tolist(), given[order].tolist(), influence[order].tolist(), strict=True))


def _influence_by_leaving_out(movie: int, rated: np.ndarray, given: np.ndarray, model: ServedModel) -> np.ndarray:
    """(n,) float64, in rating units: the rating of `movie` minus its rating without each of the user's n ratings."""
    number = len(rated)
    owner, kept = np.nonzero(~np.eye(number, dtype=bool))  # one copy of the user per rating, without that rating
    call = Call(model)
    for vector in model.scorer.encode_many(owner, rated[kept], given[kept], number):
        call.add_fold_in(vector)
    last_row = call.add_fold_in(model.scorer.encode(rated, given))
    rows = np.arange(last_row - number, last_row + 1)
    ratings = model.scorer.rate(rows, np.full(number + 1, movie), call.fold_ins)
    moved: np.ndarray = ratings[-1] - ratings[:-1]
    return moved


def _influence_by_gradients(
    user: int, movie: int, rated: np.ndarray, given: np.ndarray, model: ServedModel
) -> np.ndarray:
    """(n,) float64, in rating units: the influence of the user's n ratings on the rating of `movie`, as above."""
    scorer = model.scorer
    rows = torch.from_numpy(np.append(rated, movie).astype(np.int64)).to(scorer.device)
    vector = scorer.user_tower(torch.tensor([user], device=scorer.device)).detach().clone()
    each = vector.expand(len(rows), -1).clone().requires_grad_()
    rating = model.scale.to_rating(scorer.head(each, scorer.movie_tower(rows).clone()))
    (gradient,) = torch.autograd.grad(rating.sum(), each)
    own = gradient[:-1].double()
    target = gradient[-1].double()
    residual = torch.from_numpy(given).to(scorer.device).double() - rating[:-1].detach().double()
    identity = torch.eye(own.shape[1], dtype=torch.float64, device=scorer.device)
    hessian = own.T @ own + _RIDGE * identity
    moved: np.ndarray = ((own @ torch.linalg.solve(hessian, target)) * residual).cpu().numpy()
    return moved
