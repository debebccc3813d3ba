"""The weights against their definition, and whom they leave out."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from model.ids import IdMap
from model.interest import Interest
from train.dataset.tensors import Ratings, TrainingSet
from train.interest.config import InterestConfig
from train.interest.linear import fit_linear

CONFIG = InterestConfig(ridge=2.0, min_raters=1, sittings=1.0)
USERS, MOVIES = 40, 12
DAY_S = 86_400.0


@pytest.fixture
def ratings() -> Ratings:
    """40 users with up to 12 of 12 movies each, without times."""
    dice = np.random.default_rng(5)
    user, movie = np.nonzero(dice.random((USERS, MOVIES)) < dice.random((USERS, 1)))
    rating = dice.integers(1, 11, len(user)).astype(np.float32)
    return Ratings(torch.from_numpy(user), torch.from_numpy(movie), torch.from_numpy(rating))


def timed(ratings: Ratings) -> Ratings:
    """The same ratings, each at some time of a year."""
    time = np.random.default_rng(6).uniform(0, 365 * DAY_S, len(ratings))
    return replace(ratings, time=torch.from_numpy(time))


def training_set(ratings: Ratings) -> TrainingSet:
    return TrainingSet(ratings, IdMap(np.arange(USERS)), IdMap(np.arange(MOVIES)))


def fit(ratings: Ratings, config: InterestConfig = CONFIG) -> Interest:
    return fit_linear(training_set(ratings), config)


def groups(ratings: Ratings, config: InterestConfig) -> list[tuple[np.ndarray, float]]:
    """The rows X(g) with their weights d(g), each from its definition."""
    user, movie, rating = ratings.user_index.numpy(), ratings.movie_index.numpy(), ratings.rating.numpy()
    level = config.level / rating.std()
    mean = len(user) / len(np.unique(user))
    keys = [(user, 1.0)]
    if ratings.time is not None:
        for days in (1, 7, 30):
            span = (ratings.time.numpy() - ratings.time.numpy().min()) // (days * DAY_S)
            keys.append((user * 1_000 + span, (config.sittings or 0) / 3))
    found = []
    for key, share in keys:
        for value in np.unique(key):
            own = key == value
            row = np.zeros(MOVIES)
            row[movie[own]] = [1 + level * (one - rating[user == user[own][0]].mean()) for one in rating[own]]
            found.append((row, share * (own.sum() / mean) ** -config.user_power))
    return found


def loss(weights: np.ndarray, rows: list[tuple[np.ndarray, float]], config: InterestConfig) -> float:
    """What the weights are to minimise."""
    stacked = np.stack([row for row, _ in rows])
    weight = np.array([one for _, one in rows])[:, None]
    own = np.diag(stacked.T @ (weight * stacked))
    ridge = config.ridge + config.dropout / (1 - config.dropout) * own
    return float((weight * (stacked - stacked @ weights) ** 2).sum() + (ridge[:, None] * weights**2).sum())


@pytest.mark.parametrize("has_times", [False, True])
def test_no_change_of_the_weights_lowers_the_loss(ratings: Ratings, has_times: bool) -> None:
    rated = timed(ratings) if has_times else ratings
    weights = fit(rated).weights[:MOVIES, :MOVIES].numpy().astype(np.float64)
    rows = groups(rated, CONFIG)
    least = loss(weights, rows, CONFIG)
    dice = np.random.default_rng(1)
    for _ in range(200):
        change = dice.standard_normal((MOVIES, MOVIES)) * 1e-3
        np.fill_diagonal(change, 0)
        assert loss(weights + change, rows, CONFIG) > least


def test_movies_of_one_sitting_say_more_of_each_other(ratings: Ratings) -> None:
    """Every user rates movies 0 and 1 on one day, and each other movie in a year of its own."""
    day = ratings.movie_index.clamp(min=1).double() * 365 * DAY_S
    together = fit(replace(ratings, time=day)).weights[0]
    plain = fit(ratings).weights[0]
    others = torch.arange(2, MOVIES)
    assert together[1] - plain[1] > 0
    assert (together[1] - plain[1]) > (together[others] - plain[others]).max()


def test_no_movie_speaks_for_itself(ratings: Ratings) -> None:
    assert fit(ratings).weights.diagonal().tolist() == [0.0] * (MOVIES + 1)


def test_movies_with_few_raters_have_no_weights(ratings: Ratings) -> None:
    raters = np.bincount(ratings.movie_index.numpy(), minlength=MOVIES)
    least = int(np.sort(raters)[4])
    interest = fit(ratings, replace(CONFIG, min_raters=least))
    number = int((raters >= least).sum())
    assert interest.weights.shape == (number + 1, number + 1)
    assert ((interest.column[:MOVIES] < number).numpy() == (raters >= least)).all()
    assert interest.column[MOVIES] == number
    assert not interest.weights[number].any()
    assert not interest.weights[:, number].any()


def test_only_the_most_rated_movies_have_weights(ratings: Ratings) -> None:
    raters = np.bincount(ratings.movie_index.numpy(), minlength=MOVIES)
    covered = fit(ratings, replace(CONFIG, max_movies=3)).column[:MOVIES].numpy() < 3
    assert covered.sum() == 3
    assert raters[covered].min() >= raters[~covered].max()


def test_popularity_is_the_share_of_users_who_rated(ratings: Ratings) -> None:
    popularity = fit(ratings).popularity
    assert popularity[:MOVIES].numpy() == pytest.approx(np.bincount(ratings.movie_index.numpy()) / USERS)
    assert popularity[MOVIES] == 0


def test_movie_that_was_rated_twice_counts_with_its_last_rating(ratings: Ratings) -> None:
    first = Ratings(ratings.user_index[:1], ratings.movie_index[:1], 11 - ratings.rating[:1])
    user, movie, rating = (
        torch.cat([getattr(one, name) for one in (first, ratings)]) for name in ("user_index", "movie_index", "rating")
    )
    twice = Ratings(user, movie, rating)
    config = replace(CONFIG, level=0)
    assert fit(twice, config).weights.numpy() == pytest.approx(fit(ratings, config).weights.numpy(), abs=1e-6)


def test_large_data_is_fitted_on_evenly_spaced_users(ratings: Ratings) -> None:
    config = replace(CONFIG, level=0)
    few = fit(ratings, replace(config, max_ratings=len(ratings) // 2 + 1))
    half = fit(ratings.take(ratings.user_index % 2 == 0), config)
    assert few.weights.numpy() == pytest.approx(half.weights.numpy(), abs=1e-6)


def test_ratings_that_are_all_alike_give_finite_weights(ratings: Ratings) -> None:
    alike = replace(ratings, rating=torch.full_like(ratings.rating, 3))
    assert np.isfinite(fit(alike).weights.numpy()).all()
