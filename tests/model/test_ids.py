import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.ids import IdMap

LOW, HIGH = -(2**63), 2**63 - 1
INT64 = st.integers(LOW, HIGH)
# Ids over the whole range, and ids in a narrow range: the map finds them by different methods.
IDS = st.sets(INT64, min_size=1, max_size=50) | st.builds(
    lambda first, offsets: {min(first, HIGH - 60) + offset for offset in offsets},
    INT64,
    st.sets(st.integers(0, 60), min_size=1, max_size=40),
)
TEXT = st.text(min_size=1, max_size=12).filter(lambda text: "\0" not in text and text.isprintable())


def string_map(texts: set[str]) -> IdMap:
    return IdMap(np.sort(np.array([text.encode() for text in texts])))


def expected_rows(ids: set[int], asked: list[int]) -> list[int]:
    return [sorted(ids).index(i) if i in ids else len(ids) for i in asked]


@given(IDS)
def test_every_integer_id_finds_its_own_row(ids: set[int]) -> None:
    id_map = IdMap(np.array(sorted(ids)))
    rows = id_map.rows(sorted(ids))
    assert rows.tolist() == list(range(len(ids)))
    assert id_map.raw(rows) == sorted(ids)


@given(IDS, st.lists(st.integers(-(2**65), 2**65) | INT64, max_size=20))
def test_unknown_id_gets_only_the_unknown_row(ids: set[int], asked: list[int]) -> None:
    asked = [*asked, *(i + step for i in ids for step in (-1, 0, 1))]
    id_map = IdMap(np.array(sorted(ids)))
    assert id_map.rows(asked).tolist() == expected_rows(ids, asked)
    assert [id_map.row(one) for one in asked] == expected_rows(ids, asked)


@pytest.mark.parametrize(
    "ids",
    [
        *({LOW}, {HIGH}, {LOW, HIGH}, {LOW, LOW + 1}, {HIGH - 1, HIGH}, {LOW, 0, HIGH}, {0}, {-1}, {-7, -5, 3}),
        *({LOW + 1, LOW + 3}, {HIGH - 3, HIGH - 1}, {LOW + 1}, {HIGH - 1}),
    ],
    ids=str,
)
def test_extreme_ids_are_not_confused_with_their_neighbours(ids: set[int]) -> None:
    id_map = IdMap(np.array(sorted(ids)))
    near = sorted({i + step for i in {*ids, LOW, 0, HIGH} for step in (-2, -1, 0, 1, 2)})
    assert id_map.rows(near).tolist() == expected_rows(ids, near)
    assert [id_map.row(one) for one in near] == expected_rows(ids, near)
    array = [i for i in near if LOW <= i <= HIGH]
    assert id_map.rows(np.array(array)).tolist() == expected_rows(ids, array)


@given(st.sets(TEXT, min_size=1, max_size=30), st.lists(st.text(max_size=14), max_size=20))
def test_string_ids_match_exactly_or_not_at_all(texts: set[str], asked: list[str]) -> None:
    id_map = string_map(texts)
    asked = [*asked, *texts, *(text + "\0" for text in texts), *(text + "x" for text in texts)]
    for text, row in zip(asked, id_map.rows(asked).tolist(), strict=True):
        assert (id_map.raw(np.array([row])) == [text]) if text in texts else row == id_map.unknown


@pytest.mark.parametrize("spread", [1, 1_000_003])
def test_narrow_and_wide_id_ranges_give_the_same_rows(spread: int) -> None:
    ids = np.arange(100) * spread + 5
    id_map = IdMap(ids)
    assert (id_map.rows(ids) == np.arange(100)).all()
    assert id_map.rows([4, 105 * spread + 5, -(2**63), 2**63 - 1]).tolist() == [100] * 4


def test_no_ids_give_no_rows() -> None:
    assert IdMap(np.array([1])).rows([]).tolist() == []
    assert string_map({"a"}).rows([]).tolist() == []


def test_leading_zeros_make_a_different_id() -> None:
    assert string_map({"0068646", "68646"}).rows(["68646", "0068646", "068646"]).tolist() == [1, 0, 2]


@pytest.mark.parametrize(
    "ids",
    [
        np.array([2, 1]),
        np.array([1, 1]),
        np.array([b"b", b"a"]),
        np.array([], dtype=np.int64),
        np.array([1.0]),
        np.eye(2),
    ],
)
def test_invalid_array_of_ids_is_refused(ids: np.ndarray) -> None:
    with pytest.raises(ValueError, match="ids"):
        IdMap(ids)
