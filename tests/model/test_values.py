"""The small values: scale, history, catalogue."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.catalogue import Catalogue
from model.history import History
from model.scale import RatingScale


@given(st.floats(-1e6, 1e6), st.floats(0.1, 1e6), st.floats(0, 1))
def test_scale_converts_in_both_directions(minimum: float, span: float, unit: float) -> None:
    scale = RatingScale(minimum, minimum + span)
    assert scale.to_unit(scale.to_rating(unit)) == pytest.approx(unit, abs=1e-6)
    assert scale.to_rating(0.0) == scale.minimum
    assert scale.to_rating(1.0) == pytest.approx(scale.maximum)


@pytest.mark.parametrize("bounds", [(1, 1), (5, 1), (float("nan"), 1), (0, float("inf"))])
def test_empty_or_infinite_scale_is_rejected(bounds: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="rating scale"):
        RatingScale(*bounds)


def test_history_groups_by_user_and_survives_bytes() -> None:
    history = History.from_ratings(np.array([2, 0, 2]), np.array([5, 1, 4]), np.array([1.0, 2.0, 3.0]), num_users=3)
    again = History.from_bytes(history.to_bytes())
    assert [again.seen(user).tolist() for user in range(4)] == [[1], [], [5, 4], []]
    assert again.ratings.tolist() == [2.0, 1.0, 3.0]


def test_history_is_read_a_few_users_at_a_time() -> None:
    history = History(np.array([0, 2, 2, 7, 8]), np.arange(8, dtype=np.int32), np.ones(8, dtype=np.float32))
    users = np.array([0, 2, 3])
    found = [history.places_of(users[some]) for some in history.few_at_once(users, most=3)]
    assert [owner.tolist() for owner, _ in found] == [[0, 0], [0, 0, 0, 0, 0], [0]]
    assert [places.tolist() for _, places in found] == [[0, 1], [2, 3, 4, 5, 6], [7]]
    assert list(history.few_at_once(users, most=8)) == [slice(0, 3)]
    assert list(history.few_at_once(users[:0])) == []


def test_history_with_wrong_offsets_is_rejected() -> None:
    with pytest.raises(ValueError, match="offsets"):
        History(np.array([0, 3]), np.array([1, 2], dtype=np.int32), np.array([1.0, 2.0]))


def test_catalogue_shows_known_facts() -> None:
    columns: dict[str, list[Any]] = {
        "title": ["대부", None],
        "genres": [["Crime", "Drama"], None],
        "year": [1972, None],
    }
    catalogue = Catalogue.from_bytes(Catalogue(columns, 2).to_bytes(), 2)
    assert catalogue.shown(0) == {"title": "대부", "genres": ["Crime", "Drama"]}
    assert catalogue.shown(1) == {}
    assert list(catalogue.genres) == ["Crime", "Drama"]
    assert catalogue.mask(["Drama"]).tolist() == [True, False]


def test_catalogue_columns_have_one_value_per_movie() -> None:
    with pytest.raises(ValueError, match="'title' has 1 rows, expected 2"):
        Catalogue({"title": ["a"]}, 2)
