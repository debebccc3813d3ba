"""Rankings for new users: hidden from training, then folded in from three ratings."""

from __future__ import annotations

import numpy as np
import torch

from bench.new_users import hide_users, rank_hidden
from bench.ranking.ease import EASE, fit_ease
from bench.ranking.kept import Part
from bench.ranking.ours import fit_ours
from bench.ranking.task import Data, rows_of
from train.dataset.tensors import index_ratings
from train.evaluation.ranking_scores import MOST_POPULAR, baseline_scores, join_scores

GIVEN = 3


def rank_new_users(data: Data, draw: int, ridge: float) -> Part:
    """nDCG@10 of each hidden user for each ranking, for one draw of a tenth of the users.

    A movie is relevant if the user's rating is at least the mean of their three given ratings.
    """
    shown, secret = hide_users(data.read.ratings, draw)
    trained = index_ratings(shown, data.read.movies)
    hidden = rank_hidden(secret, trained, draw)
    back = torch.from_numpy(hidden.position < GIVEN)
    given = hidden.ratings.take(back)
    rows = rows_of(given, hidden.ratings.take(~back), hidden.num_users, len(trained.movie_ids), data.scale)
    ours = fit_ours(trained, data.scale, seed=draw)
    ease = fit_ease(trained.ratings, len(trained.user_ids), len(trained.movie_ids), ridge)
    popular = baseline_scores(trained.ratings, len(trained.movie_ids))
    scores = join_scores(
        ours.scores_of_new(given, hidden.num_users),
        ease.scores(given, hidden.num_users),
        lambda users: {MOST_POPULAR: popular(users)[MOST_POPULAR]},
    )
    return {name: rows.measure(movies)["ndcg@10"] for name, movies in rows.rank(scores).items()}


def rank_draws(draws: list[Part]) -> dict[str, np.ndarray]:
    """For each ranking, the users of all draws together."""
    shown = ("blend", "interest", EASE, MOST_POPULAR, "rating")
    return {name: np.concatenate([one[name] for one in draws]) for name in shown}
