"""The pictures of a version's ratings count every rating, user and movie once."""

import numpy as np
import pytest

from handler.pictures import rating_pictures
from model.history import History


def history(ratings: list[float], users: list[int], movies: list[int]) -> History:
    offsets = np.concatenate([[0], np.cumsum(users)]).astype(np.int64)
    return History(offsets, np.array(movies, dtype=np.int32), np.array(ratings, dtype=np.float32))


def test_each_rating_each_user_and_each_movie_is_counted_once() -> None:
    found = rating_pictures(history([1, 0.5, 1, 5, 5, 5], [1, 5], [0, 0, 1, 2, 0, 0]), 5)
    assert found["ratings"] == [
        {"at_least": 0.5, "at_most": 0.5, "count": 1},
        {"at_least": 1, "at_most": 1, "count": 2},
        {"at_least": 5, "at_most": 5, "count": 3},
    ]
    assert found["ratings_per_user"] == [
        {"at_least": 1, "at_most": 1, "count": 1},
        {"at_least": 4, "at_most": 7, "count": 1},
    ]
    assert found["ratings_per_movie"] == [
        {"at_least": 0, "at_most": 0, "count": 2},
        {"at_least": 1, "at_most": 1, "count": 2},
        {"at_least": 4, "at_most": 7, "count": 1},
    ]


@pytest.mark.parametrize("number", [21, 500])
def test_many_different_ratings_share_twenty_bars(number: int) -> None:
    values = np.linspace(0, 1, number).tolist()
    bars = rating_pictures(history(values, [number], [0] * number), 1)["ratings"]
    assert len(bars) == 20
    assert sum(bar["count"] for bar in bars) == number
    assert (bars[0]["at_least"], bars[-1]["at_most"]) == (0, 1)
