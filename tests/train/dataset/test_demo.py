"""The embedded data set is equal on all machines, looks like real ratings, and a model of tastes fits it well."""

import hashlib
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from train.dataset.data import RatingsData, index_ids, split_ratings
from train.dataset.demo import main, write_demo
from train.readers import DataError, load_ratings

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("demo") / "set"
    write_demo(path)
    return path


@pytest.fixture(scope="module")
def demo(folder: Path) -> RatingsData:
    return load_ratings(folder, rating_scale=(1, 10))


def test_the_files_are_the_same_bytes_on_every_machine(folder: Path) -> None:
    digests = {path.name: hashlib.sha256(path.read_bytes()).hexdigest()[:16] for path in folder.iterdir()}
    assert digests == {
        "NOTICE.txt": "24b58eec06fcb0e9",
        "castings.csv": "add6cef0a1803e84",
        "countries.csv": "0916b888a9c2754d",
        "genres.csv": "0788b2ef16fd6e84",
        "movies.txt": "e0f2fce6e606e563",
        "peoples.txt": "29b2a0349d58ec46",
        "rates.csv": "afdab4cc94c10fec",
    }


def test_ratings_are_integers_and_mostly_high(demo: RatingsData) -> None:
    shares = demo.ratings["rating"].value_counts(normalize=True)
    assert sorted(shares.index) == list(range(1, 11))
    assert 60_000 < len(demo.ratings) < 80_000
    assert shares[[8, 9, 10]].sum() > 0.6
    assert shares[1] > shares[2]
    assert demo.repeated_pairs == 0


def test_most_users_have_few_ratings_and_ids_have_gaps(demo: RatingsData) -> None:
    per_user = demo.ratings.groupby("user_id").size()
    assert len(per_user) == 4000
    assert per_user.median() <= 10 < per_user.mean() < 30 < per_user.max()
    for column in ("user_id", "movie_id"):
        ids = demo.ratings[column].unique()
        assert max(ids) > 10 * len(ids)
        assert list(ids) != sorted(ids)


def test_every_movie_has_a_full_catalogue_entry(demo: RatingsData) -> None:
    movies = demo.movies
    assert movies is not None
    assert set(movies["movie_id"]) == set(demo.ratings["movie_id"])
    assert movies["title"].is_unique
    assert movies["title_english"].str.startswith("The ").all()
    assert movies["year"].between(1950, 2023).all()
    assert set(movies["genres"].map(len)) == {1, 2, 3}
    assert movies["people"].map(len).eq(5).all()
    assert movies[["grade", "countries"]].notna().all(axis=None)


def test_a_factor_model_beats_the_biases_and_those_beat_the_mean(demo: RatingsData) -> None:
    split = split_ratings(demo.ratings)
    user_ids, users = index_ids(split.train["user_id"])
    movie_ids, movies = index_ids(split.train["movie_id"])
    ratings = split.train["rating"].to_numpy()
    known = split.known
    held_out = np.searchsorted(user_ids, known["user_id"]), np.searchsorted(movie_ids, known["movie_id"])
    shape = (len(user_ids), len(movie_ids))

    def mse(estimate: Floats) -> float:
        return float(np.mean((known["rating"].to_numpy() - estimate) ** 2))

    mean = ratings.mean()
    base = np.full(shape, mean) + shrunken_biases(users, movies, ratings - mean, shape)
    factors = factorise(users, movies, ratings - base[users, movies], shape)
    biases = mse(base[held_out])
    assert biases < 0.9 * mse(np.full(len(known), mean))
    assert mse((base + factors)[held_out]) < 0.8 * biases


def shrunken_biases(users: Ints, movies: Ints, residual: Floats, shape: tuple[int, int]) -> Floats:
    """User bias + movie bias (users, movies), shrunken by 2.5 and 5 ratings."""
    user_bias, movie_bias = np.zeros(shape[0]), np.zeros(shape[1])
    for _ in range(10):
        left = np.bincount(movies, residual - user_bias[users], shape[1])
        movie_bias = left / (5 + np.bincount(movies, minlength=shape[1]))
        left = np.bincount(users, residual - movie_bias[movies], shape[0])
        user_bias = left / (2.5 + np.bincount(users, minlength=shape[0]))
    return user_bias[:, None] + movie_bias


def factorise(users: Ints, movies: Ints, residual: Floats, shape: tuple[int, int], rank: int = 3) -> Floats:
    """Rank-3 inner products (users, movies) by alternating ridge regressions with penalty 4."""
    sides = [
        (users, np.zeros((shape[0], rank))),
        (movies, np.random.RandomState(0).randn(shape[1], rank) * 0.1),
    ]
    for _ in range(8):
        for side, other in ((0, 1), (1, 0)):
            rows, table = sides[side]
            known = sides[other][1][sides[other][0]]
            grams, targets = np.zeros((len(table), rank, rank)), np.zeros((len(table), rank))
            np.add.at(grams, rows, known[:, :, None] * known[:, None, :])
            np.add.at(targets, rows, known * residual[:, None])
            table[:] = np.linalg.solve(grams + 4 * np.eye(rank), targets[:, :, None])[:, :, 0]
    return sides[0][1] @ sides[1][1].T


def test_only_an_earlier_demo_is_replaced(folder: Path, tmp_path: Path) -> None:
    (folder / "rates.csv").write_text("old")
    assert main([str(folder)]) == 0
    assert (folder / "rates.csv").stat().st_size > 1_000_000
    (tmp_path / "mine.csv").write_text("precious")
    with pytest.raises(DataError, match="already exists, with other content"):
        write_demo(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.csv"]
    assert [path.name for path in folder.parent.iterdir()] == ["set"]
