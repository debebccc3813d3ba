"""Every split holds out the rows that its name says; training gets all other rows."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from train.dataset.data import split_at
from train.dataset.splits import last_row_of_users, last_rows, last_rows_of_users, rows_of_new_users
from train.errors import DataError

USERS = pd.Series([70, 0, 70, 0, 70, 5, 70, 70])
TIME = np.array([9.0, 1.0, 2.0, 0.0, 8.0, 4.0, 8.0, 1.0])


def test_the_last_share_of_all_rows_is_held_out() -> None:
    assert np.flatnonzero(last_rows(TIME, 0.25)).tolist() == [0, 6]
    assert np.flatnonzero(last_rows(TIME, 0.3)).tolist() == [0, 4, 6]


def test_equal_times_keep_the_order_of_the_file() -> None:
    assert np.flatnonzero(last_rows(np.zeros(10), 0.2)).tolist() == [8, 9]
    assert np.flatnonzero(last_row_of_users(USERS, np.zeros(8))).tolist() == [3, 7]


def test_the_last_share_of_each_user_is_held_out_and_one_row_stays() -> None:
    assert np.flatnonzero(last_rows_of_users(USERS, TIME, 0.4)).tolist() == [0, 1, 6]
    assert np.flatnonzero(~last_rows_of_users(USERS, TIME, 0.99)).tolist() == [3, 5, 7]


def test_last_row_of_each_user_with_two_rows_is_held_out() -> None:
    assert np.flatnonzero(last_row_of_users(USERS, TIME)).tolist() == [0, 1]


def test_string_ids_are_split_like_integers() -> None:
    names = USERS.map({70: "b", 0: "a", 5: "c"}).astype("str")
    assert last_row_of_users(names, TIME).tolist() == last_row_of_users(USERS, TIME).tolist()


@settings(max_examples=50, deadline=None)
@given(
    users=st.lists(st.integers(0, 6), min_size=1, max_size=60),
    given_rows=st.integers(1, 4),
    test_size=st.floats(0.01, 0.99),
)
def test_new_users_keep_the_given_rows_and_other_users_keep_all(
    users: list[int], given_rows: int, test_size: float
) -> None:
    ids = pd.Series(users)
    held_out = rows_of_new_users(ids, test_size, given_rows, seed=1)
    counts, kept = ids.value_counts(), ids[~held_out].value_counts()
    new = [user for user in counts.index if kept.get(user, 0) < counts[user]]
    assert all(kept[user] == given_rows for user in new)
    assert len(new) == np.ceil(test_size * (counts > given_rows).sum())
    assert held_out.tolist() == rows_of_new_users(ids, test_size, given_rows, seed=1).tolist()


def test_both_sides_keep_the_order_of_the_file() -> None:
    ratings = pd.DataFrame({"user_id": USERS, "movie_id": range(8), "rating": 1.0})
    split = split_at(ratings, last_rows(TIME, 0.25))
    assert split.train.index.tolist() == [1, 2, 3, 4, 5, 7]
    assert split.validation.index.tolist() == [0, 6]
    assert split.validation_known.tolist() == [False, False]


def test_split_with_an_empty_side_is_refused() -> None:
    ratings = pd.DataFrame({"user_id": [1, 2], "movie_id": [1, 1], "rating": [1.0, 2.0]})
    with pytest.raises(
        DataError, match=r"r\.csv: this split holds out 0 of 2 rows; allowed is at least one row on each"
    ):
        split_at(ratings, last_row_of_users(ratings["user_id"], np.zeros(2)), "folder/r.csv")
