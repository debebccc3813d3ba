"""The weights of movies beyond the table: exact where every movie is a neighbour, and of use in a large catalogue."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from model.history import History
from model.ids import IdMap
from model.interest import Interest, interests_of
from model.picks import Picks, UserPicks
from model.ranking import Ranking
from train.dataset.tensors import Ratings, TrainingSet
from train.interest.config import InterestConfig
from train.interest.linear import fit_linear

USERS, MOVIES = 60, 14
CONFIG = InterestConfig(ridge=2.0, min_raters=1)


@pytest.fixture
def rated() -> TrainingSet:
    """60 users with up to 14 of 14 movies each."""
    dice = np.random.default_rng(5)
    user, movie = np.nonzero(dice.random((USERS, MOVIES)) < dice.random((USERS, 1)))
    rating = dice.integers(1, 11, len(user)).astype(np.float32)
    return training_set(user, movie, rating, USERS, MOVIES)


def training_set(user: np.ndarray, movie: np.ndarray, rating: np.ndarray, users: int, movies: int) -> TrainingSet:
    ratings = Ratings(torch.from_numpy(user), torch.from_numpy(movie), torch.from_numpy(rating))
    return TrainingSet(ratings, IdMap(np.arange(users)), IdMap(np.arange(movies)))


def weights_of(interest: Interest) -> np.ndarray:
    """W (MOVIES, MOVIES): how much each movie of a history, by row, adds to the others."""
    alone = torch.arange(MOVIES)
    interests = interest(alone, torch.full((MOVIES,), 5.0), torch.arange(MOVIES + 1))
    weights: np.ndarray = (interests - interest.prior * interest.popularity / 2)[:, :MOVIES].numpy()
    return weights


def test_movie_beyond_the_table_with_all_others_as_neighbours_has_the_weights_of_the_table(rated: TrainingSet) -> None:
    full = weights_of(fit_linear(rated, CONFIG))
    few = fit_linear(rated, replace(CONFIG, max_movies=4, neighbours=MOVIES))
    beyond = np.flatnonzero((few.column[:MOVIES] == 4).numpy())
    assert len(beyond) == MOVIES - 4
    assert weights_of(few)[:, beyond] == pytest.approx(full[:, beyond], abs=1e-5)


def test_movies_of_the_table_learn_from_those_beyond(rated: TrainingSet) -> None:
    """One movie is beyond, so that only 1 / P(h, h) of the table's movies differs: they did not see it."""
    full = weights_of(fit_linear(rated, CONFIG))
    few = fit_linear(rated, replace(CONFIG, max_movies=MOVIES - 1, neighbours=MOVIES))
    [beyond] = np.flatnonzero((few.column[:MOVIES] == MOVIES - 1).numpy())
    inside = np.arange(MOVIES) != beyond
    found, expected = weights_of(few)[beyond, inside], full[beyond, inside]
    assert found == pytest.approx(expected, rel=0.15, abs=2e-3)
    assert np.abs(found).max() > 0.02


def test_movie_has_only_its_nearest_neighbours(rated: TrainingSet) -> None:
    interest = fit_linear(rated, replace(CONFIG, max_movies=4, neighbours=3))
    beyond = np.flatnonzero((interest.column[:MOVIES] == 4).numpy())
    assert (np.count_nonzero(weights_of(interest)[:, beyond], axis=0) == 3).all()
    assert not weights_of(interest).diagonal().any()


def test_shares_of_movies_beyond_the_table_add_up_to_their_interest(rated: TrainingSet) -> None:
    ranking = Ranking(fit_linear(rated, replace(CONFIG, max_movies=4, neighbours=3)))
    history = Picks(np.array([2, 5, 9, 13]), np.array([3, 9, 5, 7], dtype=np.float32))
    [interest] = ranking.interests([history])
    for movie in range(MOVIES):
        parts = ranking.parts(history, movie, 6.0, interest)
        popularity = 0.5 * float(ranking._interest.popularity[movie]) / 5
        assert parts.popularity == pytest.approx(popularity, abs=1e-6), movie


def test_catalogue_of_twenty_thousand_movies_finds_what_a_user_would_choose_among_the_rare_ones() -> None:
    """20,000 movies in 2,000 circles of ten: a user takes eight of two circles, and some popular movies.

    The two movies that were left out of each circle are to be found among the 19,000 beyond the table.
    """
    dice = np.random.default_rng(0)
    users, movies, circles = 6_000, 20_000, 2_000
    own = dice.integers(0, circles, (users, 2))
    taken = np.argsort(dice.random((users, 2, 10)), 2)[:, :, :8]
    circle_movies = (own[:, :, None] + circles * taken).reshape(users, 16)
    popular = circles * 10 + dice.integers(0, 50, (users, 4))  # 50 popular movies, beside the circles
    user = np.repeat(np.arange(users), 20)
    pairs = np.unique(user * (movies + 50) + np.concatenate([circle_movies, popular], 1).ravel())
    user, movie = pairs // (movies + 50), pairs % (movies + 50)
    data = training_set(user, movie, dice.integers(1, 11, len(user)).astype(np.float32), users, movies + 50)
    interest = fit_linear(data, InterestConfig(max_movies=1_000, neighbours=12))
    history = History.from_ratings(user, movie, data.ratings.rating.numpy(), users)

    asked = np.arange(0, users, 120)
    scores = interests_of(interest, [UserPicks(history).of_user(user) for user in asked.tolist()]).numpy()
    scores[:, interest.column.numpy() < 1_000] = -np.inf
    found = 0
    for row, one in enumerate(asked.tolist()):
        scores[row, history.of_user(one)[0]] = -np.inf
        left_out = set((own[one][:, None] + circles * np.arange(10)).ravel()) - set(circle_movies[one])
        found += len(left_out & set(np.argsort(-scores[row])[:4].tolist())) > 0
    assert found > 0.8 * len(asked)
    assert len(interest.neighbours.target) <= 2 * 12 * movies
