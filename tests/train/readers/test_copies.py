"""A repeated row of a file is used once, so it is on one side of a split only; the report mentions it."""

from pathlib import Path

import numpy as np
import pytest

from train.dataset.data import split_ratings
from train.readers import ReadingRules, load_ratings


def write(folder: Path, rows: list[str], header: str = "user_id,movie_id,rating") -> Path:
    (folder / "r.csv").write_text("\n".join([header, *rows]) + "\n")
    return folder / "r.csv"


def rows(number: int) -> list[str]:
    random = np.random.default_rng(1)
    return list(dict.fromkeys(f"{u},{m},{(u + m) % 5 + 1}" for u, m in random.integers(0, 40, (number, 2))))


@pytest.mark.parametrize("times", [2, 3])
def test_file_with_all_rows_repeated_is_read_once(tmp_path: Path, times: int) -> None:
    once = rows(400)
    expected = load_ratings(write(tmp_path, once)).ratings
    data = load_ratings(write(tmp_path, once * times))
    assert data.ratings.equals(expected)
    assert data.repeated_pairs == 0
    [warning] = data.reading.warnings
    assert warning.startswith(f"r.csv:{len(once) + 2}: the same user, movie and rating as in an earlier row; rows like")
    split = split_ratings(data.ratings)
    pairs = [set(zip(side["user_id"], side["movie_id"], strict=True)) for side in (split.train, split.validation)]
    assert not pairs[0] & pairs[1]


def test_other_columns_do_not_hide_a_copy(tmp_path: Path) -> None:
    once = rows(300)
    numbered = [f"{row},line {n}" for n, row in enumerate(once * 2)]
    data = load_ratings(write(tmp_path, numbered, "user_id,movie_id,rating,note"))
    assert len(data.ratings) == len(once)


def test_same_rating_at_another_time_is_not_a_copy(tmp_path: Path) -> None:
    timed = [f"{row},{time}" for row in rows(300) for time in (1_100_000_000, 1_100_000_001)]
    data = load_ratings(write(tmp_path, timed, "user_id,movie_id,rating,timestamp"))
    assert len(data.ratings) == len(timed)
    assert data.repeated_pairs == len(timed) // 2


def test_one_copy_among_many_rows_is_left_out_and_reported(tmp_path: Path) -> None:
    once = rows(1000)
    path = write(tmp_path, [*once, once[3]])
    data = load_ratings(path)
    assert (len(data.ratings), data.repeated_pairs) == (len(once), 0)
    [warning] = data.reading.warnings
    assert warning.startswith(
        f"r.csv:{len(once) + 2}: the same user, movie and rating as in an earlier row; rows like this: 1, left out"
    )
    kept = load_ratings(path, ReadingRules(copies="keep"))
    assert (len(kept.ratings), kept.repeated_pairs) == (len(once) + 1, 1)
    assert "copies on both sides of a split make the reported errors too small" in kept.reading.warnings[0]


def test_published_copies_of_kmrd_stay_unless_they_are_many(tmp_path: Path) -> None:
    once = [f"{row},{1_100_000_000 + time}" for time, row in enumerate(rows(1000))]
    path = write(tmp_path, [*once, once[3]], "user,movie,rate,time")
    data = load_ratings(path)
    assert (len(data.ratings), data.reading.warnings) == (len(once) + 1, [])
    assert any(
        "rows like this: 1, kept, because the data was published with them; --copies drop" in one
        for one in data.reading.lines
    )
    assert len(load_ratings(path, ReadingRules(copies="drop")).ratings) == len(once)
    assert len(load_ratings(write(tmp_path, once * 2, "user,movie,rate,time")).ratings) == len(once)


def test_many_repeated_pairs_are_a_warning(tmp_path: Path) -> None:
    timed = [f"{row},{time}" for row in rows(300) for time in (1_100_000_000, 1_100_000_001)]
    [warning] = load_ratings(write(tmp_path, timed, "user_id,movie_id,rating,timestamp")).reading.warnings
    assert warning.startswith("50% of the ratings repeat a pair of user and movie. They are kept")
