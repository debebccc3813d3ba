from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bench.accuracy_task import read_task
from bench.peers_accuracy import _one_hot
from train.errors import DataError


@pytest.fixture
def timed(tmp_path: Path) -> Path:
    """Ten ratings; the last two by time are of a new user, and of a known user and a known movie."""
    frame = pd.DataFrame(
        {
            "user_id": [1, 9, 2, 2, 1, 3, 3, 1, 2, 3],
            "movie_id": [10, 10, 10, 20, 20, 10, 20, 30, 30, 30],
            "rating": [1, 5, 2, 3, 4, 5, 1, 2, 3, 4],
            "timestamp": [990, 980, 1, 2, 3, 4, 5, 6, 7, 8],
        }
    )
    frame.to_csv(tmp_path / "ratings.csv", index=False)
    return tmp_path


def test_by_time_errors_are_of_known_rows_of_all_and_of_new_users(timed: Path) -> None:
    task = read_task(timed, "time")
    assert task.truth.tolist() == [1.0, 5.0]
    assert {name: mask.tolist() for name, mask in task.groups.items()} == {
        "known users and movies": [True, False],
        "all": [True, True],
        "new users": [False, True],
    }
    assert task.rows_without_features.user_index.tolist() == [0, 3]  # the row past the last is the unknown user's


def test_the_random_split_measures_known_rows_alone(timed: Path) -> None:
    task = read_task(timed, "random")
    assert [mask.all() for mask in task.groups.values()] == [True]


def test_a_split_by_time_needs_times(timed: Path) -> None:
    frame = pd.read_csv(timed / "ratings.csv").drop(columns="timestamp")
    frame.to_csv(timed / "ratings.csv", index=False)
    with pytest.raises(DataError, match="--split time"):
        read_task(timed, "time")


def test_a_peer_sees_nothing_of_an_unknown_user_or_movie() -> None:
    rows = _one_hot(np.array([0, 2, 1]), np.array([1, 0, 3]), [2, 3])
    assert rows.toarray().tolist() == [[1, 0, 0, 1, 0], [0, 0, 1, 0, 0], [0, 1, 0, 0, 0]]
