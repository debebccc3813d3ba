"""Rankings of the whole catalogue on held-out ratings: the model's own beside the baselines', for the same users.

Every movie that the user did not rate in training is ranked, except those of their events, which the server leaves out
too. No negatives are sampled (Krichene and Rendle 2020).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import numpy as np

from model.events import NO_EVENTS, EventHistory
from model.history import History
from train.dataset.tensors import Ratings
from train.evaluation.bootstrap import Bootstrap, Interval
from train.evaluation.ranking_metrics import CUTOFFS, Lists, measure_lists
from train.evaluation.ranking_scores import MOST_POPULAR, Scores, count_raters
from train.evaluation.relevance import RankingTask, Relevance, ranking_task

# A large catalogue is ranked for so few users that no more pairs than these are scored, but not for fewer than
# FEWEST_USERS.
MOST_PAIRS = 2**25
FEWEST_USERS = 100
# Users whose scores are in memory together: as many as have this many pairs.
_PAIRS_AT_ONCE = 2**21
_INTERVALS_AT = 10


def rank_held_out(
    train: Ratings,
    held_out: Ratings,
    num_users: int,
    num_movies: int,
    lowest: float,
    scores: Scores,
    most_users: int,
    events: EventHistory = NO_EVENTS,
) -> dict[str, Any]:
    """What metrics.json tells of rankings for at most `most_users` users; {} where nobody has a movie to be found.

    lowest: of the rating scale. scores: of all rankings; the first is the one that is served.
    """
    most = min(most_users, max(FEWEST_USERS, MOST_PAIRS // num_movies))
    task = ranking_task(train, held_out, num_users, num_movies, lowest, most)
    return measure_rankings(task, train, num_users, scores, events) if len(task.user) else {}


def measure_rankings(
    task: RankingTask, train: Ratings, num_users: int, scores: Scores, events: EventHistory = NO_EVENTS
) -> dict[str, Any]:
    """Every metric by ranking, the baselines among them, for the same users.

    `liked` and `graded` have the gains of `RankingTask`. `intervals` and `against_most_popular` are 95 % intervals of
    the metrics `liked`, and of their differences user by user.
    """
    num_movies = task.liked.num_movies
    movies = first_movies(task.user, train, num_users, num_movies, scores, events)
    raters = count_raters(train, num_movies)

    def measure(relevance: Relevance) -> dict[str, dict[str, np.ndarray]]:
        return {name: measure_lists(judge(rows, relevance, raters, num_users)) for name, rows in movies.items()}

    liked = measure(task.liked)
    return {
        "users": len(task.user),
        "movies": num_movies,
        "liked": _means(liked),
        "graded": _means(measure(task.graded)),
        **_intervals(liked, Bootstrap(len(task.user))),
    }


def mean_ndcg(
    task: RankingTask, train: Ratings, num_users: int, scores: Scores, events: EventHistory = NO_EVENTS
) -> dict[str, float]:
    """nDCG@10 of the movies `liked`, by ranking."""
    num_movies = task.liked.num_movies
    movies = first_movies(task.user, train, num_users, num_movies, scores, events)
    raters = count_raters(train, num_movies)
    lists = {name: judge(rows, task.liked, raters, num_users) for name, rows in movies.items()}
    return {name: float(measure_lists(one)["ndcg@10"].mean()) for name, one in lists.items()}


def first_movies(
    users: np.ndarray,
    train: Ratings,
    num_users: int,
    num_movies: int,
    scores: Scores,
    events: EventHistory = NO_EVENTS,
) -> dict[str, np.ndarray]:
    """By ranking each user's first movies that they did not pick in training: users (U,) -> (U, K) rows, or -1."""
    columns = train.user_index.numpy(), train.movie_index.numpy(), train.rating.numpy()
    history = History.from_ratings(*columns, num_users)
    found: dict[str, list[np.ndarray]] = {}
    for block in _blocks(users, num_movies):
        seen = _seen(history, events, block)
        for name, scored in scores(block).items():
            found.setdefault(name, []).append(_first(scored, seen))
    return {name: np.concatenate(rows) for name, rows in found.items()}


def _blocks(users: np.ndarray, num_movies: int) -> Iterator[np.ndarray]:
    size = max(1, _PAIRS_AT_ONCE // num_movies)
    return (users[start : start + size] for start in range(0, len(users), size))


def _seen(history: History, events: EventHistory, users: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Places in `users` (S,) and rows (S,) of all movies that these users picked."""
    seen = [np.append(history.seen(user), events.of_user(user)) for user in users.tolist()]
    return np.repeat(np.arange(len(users)), [len(one) for one in seen]), np.concatenate(seen)


def _first(scores: np.ndarray, seen: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """The movies with the highest scores (B, M) that are not seen, highest first: (B, K) rows, or -1."""
    cost = -scores
    cost[seen] = np.inf
    length = min(max(CUTOFFS), cost.shape[1])
    chosen = np.argpartition(cost, length - 1, axis=1)[:, :length]
    chosen.sort(axis=1)  # so that of equal scores the first row comes first
    chosen_cost = np.take_along_axis(cost, chosen, 1)
    order = np.argsort(chosen_cost, axis=1, kind="stable")
    best = np.full((len(cost), max(CUTOFFS)), -1)
    best[:, :length] = np.take_along_axis(chosen, order, 1)
    best[:, :length][np.isinf(np.take_along_axis(chosen_cost, order, 1))] = -1
    return best


def judge(movie: np.ndarray, relevance: Relevance, raters: np.ndarray, num_users: int) -> Lists:
    """What the first movies (U, K) of each user are worth; raters (num_movies,): of each movie in training."""
    return Lists(
        movie=movie,
        gain=relevance.of_lists(movie),
        ideal=relevance.ideal(movie.shape[1]),
        relevant=relevance.count(),
        raters=np.where(movie >= 0, raters[movie], 0),
        num_users=num_users,
        num_movies=relevance.num_movies,
    )


def _means(values: dict[str, dict[str, np.ndarray]]) -> dict[str, dict[str, float]]:
    return {
        name: {metric: float(one.mean()) for metric, one in by_metric.items()} for name, by_metric in values.items()
    }


def _intervals(values: dict[str, dict[str, np.ndarray]], bootstrap: Bootstrap) -> dict[str, Any]:
    """Of the metrics that have a value for each user, at the cutoff _INTERVALS_AT."""
    own: dict[str, Any] = {}
    against: dict[str, Any] = {}
    popular = values[MOST_POPULAR]
    for name, by_metric in values.items():
        shown = {key: one for key, one in by_metric.items() if one.ndim and key.endswith(f"@{_INTERVALS_AT}")}
        own[name] = _plain(bootstrap.intervals(shown))
        if name != MOST_POPULAR:
            differences = {key: one - popular[key] for key, one in shown.items()}
            against[name] = _plain(bootstrap.intervals(differences))
    return {"intervals": own, "against_most_popular": against}


def _plain(intervals: dict[str, Interval]) -> dict[str, dict[str, float]]:
    return {name: asdict(one) for name, one in intervals.items()}
