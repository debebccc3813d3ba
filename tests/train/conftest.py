"""Made-up tastes: each user likes one of two genres, so the right answers are known."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from model.artifact import Artifact
from model.history import History
from model.scale import RatingScale
from train.config import TrainConfig
from train.dataset.tensors import TrainingSet, index_ratings
from train.factors.config import FactorsConfig
from train.factors.method import choose_factors, fit_factors
from train.method import Fitted
from train.output import build_catalogue

NUM_USERS, NUM_MOVIES = 300, 60
UNRATED = range(56, 60)  # movies that stand in the catalogue alone


def taste_truth(user: np.ndarray, movie: np.ndarray) -> np.ndarray:
    """What user `user` thinks of movie `movie`: 8 or 4 by taste, and comedies (even movies) are liked a little more."""
    same = (user % 2) == (movie % 2)
    truth: np.ndarray = np.where(same, 7.5, 4.0) + np.where(movie % 2 == 0, 1.0, 0.0)
    return truth


@pytest.fixture(scope="session")
def tastes() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Ratings 1..10 of 300 users, 15 each, and the catalogue of 60 movies, four of which nobody rated."""
    random = np.random.default_rng(0)
    user = np.repeat(np.arange(NUM_USERS), 15)
    movie = np.concatenate([random.permutation(UNRATED.start)[:15] for _ in range(NUM_USERS)])
    rating = np.clip(np.round(taste_truth(user, movie) + random.normal(0, 1, len(user))), 1, 10)
    # Raw ids are sparse and shuffled, so that no id is its own row.
    ratings = pd.DataFrame({"user_id": 7 * ((user * 37) % NUM_USERS), "movie_id": 1_000 + movie, "rating": rating})
    genres = [["Comedy"] if number % 2 == 0 else ["Horror"] for number in range(NUM_MOVIES)]
    movies = pd.DataFrame({"movie_id": 1_000 + np.arange(NUM_MOVIES), "genres": genres})
    return ratings, movies


@pytest.fixture(scope="session")
def small_file(tastes: tuple[pd.DataFrame, pd.DataFrame], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ratings as a file; its last 200 rows are of as many users who rated once."""
    ratings, _ = tastes
    once = pd.DataFrame({"user_id": 9_000 + np.arange(200), "movie_id": 1_000 + np.arange(200) % 56, "rating": 7.0})
    path = tmp_path_factory.mktemp("small") / "ratings.csv"
    pd.concat([ratings, once]).to_csv(path, index=False)
    return path


@pytest.fixture(scope="session")
def quick_options() -> list[str]:
    """Options of `python -m train` for a default model in a second."""
    options = "--factors.factors 3 --factors.probe-sweeps 2 --factors.max-sweeps 3 --factors.score-sweeps 3"
    return [*options.split(), "--factors.epochs", "2", "--factors.batch-size", "512"]


@pytest.fixture(scope="session")
def quick_config() -> TrainConfig:
    return TrainConfig(
        factors=FactorsConfig(factors=3, probe_sweeps=4, max_sweeps=8, score_sweeps=8, epochs=4, batch_size=256)
    )


@pytest.fixture(scope="session")
def taste_set(tastes: tuple[pd.DataFrame, pd.DataFrame]) -> TrainingSet:
    return index_ratings(*tastes)


@pytest.fixture(scope="session")
def taste_fit(taste_set: TrainingSet, quick_config: TrainConfig) -> Fitted:
    torch.set_num_threads(1)
    scale = RatingScale(1, 10)
    return fit_factors(taste_set, scale, quick_config, choose_factors(taste_set, scale, quick_config), "test")


@pytest.fixture(scope="session")
def taste_artifact(taste_fit: Fitted, taste_set: TrainingSet, tastes: tuple[pd.DataFrame, pd.DataFrame]) -> Artifact:
    ratings = taste_set.ratings
    columns = (ratings.user_index.numpy(), ratings.movie_index.numpy(), ratings.rating.numpy())
    history = History.from_ratings(*columns, len(taste_set.user_ids))
    catalogue = build_catalogue(tastes[1], taste_set.movie_ids)
    metadata = {
        "version": "1.0",
        "digest": "d0",
        "created": "then",
        "architecture": "FactorNetwork",
        "metrics": {"known": {"network": {"mse": 1.0, "rmse": 1.0, "mae": 0.5, "rows": 4}}},
    }
    maps = taste_set.user_ids, taste_set.movie_ids
    return Artifact(taste_fit.network, *maps, RatingScale(1, 10), history, catalogue, metadata)
