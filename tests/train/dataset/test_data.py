"""The split equals the reference's, row for row; ids can be converted to rows and back."""

import os

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from train.dataset.data import count_repeated_pairs, index_ids, split_ratings
from train.errors import DataError
from train.readers import load_ratings


def ratings_frame(users: list[int], movies: list[int]) -> pd.DataFrame:
    return pd.DataFrame({"user_id": users, "movie_id": movies, "rating": np.arange(len(users)) % 10 + 1.0})


def random_frame(rows: int) -> pd.DataFrame:
    random = np.random.RandomState(3)
    return ratings_frame((random.randint(0, 30, rows) ** 2).tolist(), random.randint(0, 30, rows).tolist())


def test_split_equals_scikit_learns() -> None:
    from sklearn.model_selection import train_test_split  # it takes a second, and only this test needs it

    frame = random_frame(101)
    split = split_ratings(frame)
    train, validation = train_test_split(frame, test_size=0.2, random_state=1234, shuffle=True)
    pd.testing.assert_frame_equal(split.train, train)
    pd.testing.assert_frame_equal(split.validation, validation)


def test_known_rows_are_those_whose_user_and_movie_are_both_in_train() -> None:
    split = split_ratings(random_frame(60))
    users, movies = set(split.train["user_id"]), set(split.train["movie_id"])
    expected = [row.user_id in users and row.movie_id in movies for row in split.validation.itertuples()]
    assert split.validation_known.tolist() == expected
    assert not split.validation["user_id"].isin(users).all()
    assert not split.validation["movie_id"].isin(movies).all()
    assert len(split.known) == sum(expected)


@pytest.mark.skipif("KMRD_DIR" not in os.environ, reason="KMRD_DIR names no folder")
def test_the_reference_split_of_kmrd_has_the_reference_numbers() -> None:
    data = load_ratings(os.environ["KMRD_DIR"])
    split = split_ratings(data.ratings)
    counts = (len(split.train), split.train["user_id"].nunique(), split.train["movie_id"].nunique())
    assert counts == (112_568, 44_453, 597)
    assert (len(split.validation), int(split.validation_known.sum())) == (28_142, 20_256)
    assert data.repeated_pairs == 6_379
    assert data.sha256 == "9c373d914a15af2c4d13bb9ee7a5c0ea2c42c30113b819b2f88cddc909edcb52"


@pytest.mark.parametrize(
    ("users", "movies", "test_size", "message"),
    [
        ([], [], 0.2, "r.csv: 0 rows"),
        ([1], [2], 0.2, "r.csv: 1 row; holding out a share of 0.2 leaves one side empty"),
        ([7] * 20, list(range(20)), 0.2, "r.csv: 20 rows, all by one user, 7; at least 2 users are needed"),
        ([1, 2, 3, 4], [5, 6, 7, 8], 0.2, "r.csv: 4 rows, too few to split: .* --test-size 0 trains on all rows"),
        ([1, 2], [1, 1], 0.0, "test_size: got 0.0, allowed is a share between 0 and 1"),
        ([1, 2], [1, 1], 1.0, "test_size: got 1.0"),
        ([1, 2], [1, 1], float("nan"), "test_size: got nan"),
    ],
)
def test_ratings_that_cannot_be_split_are_refused(
    users: list[int], movies: list[int], test_size: float, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        split_ratings(ratings_frame(users, movies), test_size, source="folder/r.csv")


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1))
def test_integer_ids_can_be_restored_from_rows(raw: list[int]) -> None:
    ids, rows = index_ids(pd.Series(raw, dtype="int64"))
    assert ids.dtype == np.int64
    assert rows.dtype == np.int64
    assert ids.tolist() == sorted(set(raw))
    assert ids[rows].tolist() == raw


@pytest.mark.parametrize("dtype", ["str", "object"])
@settings(max_examples=100, deadline=None)
@given(raw=st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1), min_size=1))
def test_string_ids_can_be_restored_from_rows(dtype: str, raw: list[str]) -> None:
    ids, rows = index_ids(pd.Series(raw, dtype=dtype))
    assert ids.dtype == np.dtype(("S", max(len(text.encode()) for text in raw)))
    assert ids.tolist() == sorted({text.encode() for text in raw})
    assert [text.decode() for text in ids[rows].tolist()] == raw


def test_string_ids_read_in_blocks_share_one_map() -> None:
    column = pa.chunked_array([["007", "7"], ["7", "a", "007"]]).to_pandas()
    ids, rows = index_ids(column)
    assert ids.tolist() == [b"007", b"7", b"a"]
    assert rows.tolist() == [0, 1, 1, 2, 0]


@pytest.mark.parametrize("bad", ["", "a\0", None])
def test_id_that_numpy_bytes_cannot_hold_is_refused(bad: str | None) -> None:
    with pytest.raises(DataError, match="user_id: ids may not be missing, empty or hold a NUL"):
        index_ids(pd.Series(["a", bad], name="user_id", dtype="str"))


def test_repeated_pairs_do_not_count_the_first_row() -> None:
    assert count_repeated_pairs(ratings_frame([1, 1, 2, 1, 1], [5, 6, 5, 5, 5])) == 2
