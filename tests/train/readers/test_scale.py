"""The reader never guesses which value means "watched, not rated"; the report says how the scale was found."""

from pathlib import Path

import pandas as pd
import pytest

from train.readers import DataError, ReadingRules, load_ratings


def write(folder: Path, ratings: list[str]) -> Path:
    rows = (f"{n},{n % 7},{rating}\n" for n, rating in enumerate(ratings))
    (folder / "r.csv").write_text("user_id,movie_id,rating\n" + "".join(rows))
    return folder / "r.csv"


STARS = ["5", "4", "3", "2", "1"] * 4


def test_a_rating_below_zero_beside_stars_is_an_error_with_its_line_and_the_options(tmp_path: Path) -> None:
    path = write(tmp_path, [*STARS, "-1", "-1"])
    with pytest.raises(
        DataError, match=r"^r\.csv:22: rating -1 \(2 rows\) .*--not-rated -1 .*--rating-scale -1 5 keeps it"
    ):
        load_ratings(path)
    data = load_ratings(path, ReadingRules(not_rated=("-1",)))
    assert (len(data.ratings), data.rating_scale) == (20, (1, 5))
    assert 'r.csv: 2 rows left out, because rating "-1" means not rated' in data.reading.lines
    assert load_ratings(path, rating_scale=(-1, 5)).ratings["rating"].min() == -1


def test_a_zero_below_ratings_from_one_is_a_warning_with_its_line_and_the_options(tmp_path: Path) -> None:
    path = write(tmp_path, [*STARS, "0", "0"])
    data = load_ratings(path)
    assert data.rating_scale == (0, 5)
    assert data.reading.warnings == [
        "r.csv:22: rating 0 (2 rows) counts as the lowest rating; the next is 1; --not-rated 0 leaves it out if it "
        'means "not rated", --rating-scale 0 5 keeps it'
    ]
    assert load_ratings(path, ReadingRules(not_rated=("0",))).rating_scale == (1, 5)


@pytest.mark.parametrize("odd", ["0", "-1", "0.0", "NA", "", "99"])
def test_not_rated_values_are_left_out_with_a_given_scale(tmp_path: Path, odd: str) -> None:
    path = write(tmp_path, [odd, *STARS])
    with pytest.raises(DataError, match=r'^r\.csv:2: rating .* if .* means "not rated": --not-rated'):
        load_ratings(path, rating_scale=(1, 5))
    data = load_ratings(path, ReadingRules(not_rated=(odd,)), (1, 5))
    assert (len(data.ratings), data.rating_scale, data.locate(0)) == (20, (1, 5), "r.csv:3")


def test_a_missing_rating_of_parquet_may_mean_not_rated(tmp_path: Path) -> None:
    frame = pd.DataFrame({"user_id": [1, 2, 3], "movie_id": [1, 2, 3], "rating": [1.0, None, 5.0]})
    frame.to_parquet(tmp_path / "r.parquet")
    with pytest.raises(DataError, match="row 2: rating"):
        load_ratings(tmp_path / "r.parquet")
    assert len(load_ratings(tmp_path / "r.parquet", ReadingRules(not_rated=("null",))).ratings) == 2


@pytest.mark.parametrize("odd", ["55", "99", "1000"])
def test_a_rating_far_from_all_others_is_a_warning(tmp_path: Path, odd: str) -> None:
    data = load_ratings(write(tmp_path, [*STARS, odd]))
    assert data.reading.warnings[0].startswith(f"r.csv:22: rating {odd} (1 row) counts as the highest rating")


@pytest.mark.parametrize("ratings", [["-1", "1"], ["-1", "0", "1"], ["0", "1"], ["-10", "-3", "0", "7"], ["0", "0.5"]])
def test_scales_with_zero_or_negative_values_give_no_warning(tmp_path: Path, ratings: list[str]) -> None:
    data = load_ratings(write(tmp_path, ratings * 3))
    assert data.rating_scale == (float(ratings[0]), float(ratings[-1]))
    assert data.reading.warnings == []


def test_report_says_how_the_scale_was_found(tmp_path: Path) -> None:
    path = write(tmp_path, STARS)
    assert (
        "scale: 1 to 5, the lowest (4 rows) and the highest (4 rows) of 5 different ratings in the file"
        in load_ratings(path).reading.lines
    )
    assert "scale: 0 to 5, as given" in load_ratings(path, rating_scale=(0, 5)).reading.lines


def test_decimal_commas_are_read(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("user_id;movie_id;rating\n1;1;3,5\n2;1;4\n3;2;0,5\n")
    data = load_ratings(tmp_path / "r.csv")
    assert data.ratings["rating"].tolist() == [3.5, 4, 0.5]
    assert 'r.csv: rating has decimal commas, as "3,5"' in data.reading.lines


def test_times_in_the_rating_column_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("1,10,1112486027,3\n2,20,1112486028,4\n")
    with pytest.raises(DataError, match=r"^r\.csv: column 3 .* look like times, not ratings; --rating-column names"):
        load_ratings(tmp_path / "r.csv")
    assert load_ratings(tmp_path / "r.csv", ReadingRules(rating_column="4")).rating_scale == (3, 4)
