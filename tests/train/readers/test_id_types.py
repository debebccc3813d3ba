"""Nearly all ids decide whether ids are integers or strings. A line that differs is reported and decides nothing."""

from pathlib import Path

import pandas as pd
import pytest

from train.dataset.data import RatingsData
from train.readers import DataError, ReadingRules, load_ratings


def write(folder: Path, users: list[str], movies: list[str] | None = None) -> Path:
    movies = movies or [str(n % 7) for n in range(len(users))]
    rows = (f"{user},{movie},{n % 5 + 1}\n" for n, (user, movie) in enumerate(zip(users, movies, strict=True)))
    (folder / "r.csv").write_text("user_id,movie_id,rating\n" + "".join(rows))
    return folder / "r.csv"


def is_integer(data: RatingsData, column: str = "user_id") -> bool:
    return pd.api.types.is_integer_dtype(data.ratings[column])


NUMBERS = [str(n) for n in range(1000)]


@pytest.mark.parametrize("odd", ["NA", "TOTAL", "null", "007", "1e5", "9223372036854775808", "#1", "user 5", "١"])
def test_one_odd_id_among_integers_is_an_error_with_its_line_and_the_options(tmp_path: Path, odd: str) -> None:
    path = write(tmp_path, [*NUMBERS[:600], odd, *NUMBERS[600:]])
    with pytest.raises(
        DataError, match=rf'^r\.csv:602: user_id "{odd}" is not an integer \(7, not 007\), while 1,000 of 1,001 are'
    ):
        load_ratings(path)
    kept = load_ratings(path, ReadingRules(user_ids="string"))
    assert kept.ratings["user_id"].tolist() == [*NUMBERS[:600], odd, *NUMBERS[600:]]
    left = load_ratings(path, ReadingRules(skip_bad_lines=1))
    assert left.ratings["user_id"].tolist() == [int(one) for one in NUMBERS]
    assert left.locate(600) == "r.csv:603"
    assert left.reading.warnings[0].startswith("1 bad line left out: r.csv:602: user_id")


@pytest.mark.parametrize("odd", [" 17", "17 ", "\t17", "17.0", "17.00"])
def test_id_with_spaces_or_decimals_is_read_as_an_integer_and_reported(tmp_path: Path, odd: str) -> None:
    data = load_ratings(write(tmp_path, [*NUMBERS[:600], odd, *NUMBERS[600:]]))
    assert is_integer(data)
    assert data.ratings["user_id"][600] == 17
    [warning] = data.reading.warnings
    assert warning.startswith("r.csv:602: ")


def test_a_few_missing_ids_are_an_error_even_in_a_small_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r'^r\.csv:3: user_id "NA" is not an integer \(7, not 007\), while 3 of 4 are'):
        load_ratings(write(tmp_path, ["1", "NA", "2", "3"]))


def test_movie_ids_with_decimals_keep_their_titles(tmp_path: Path) -> None:
    path = write(tmp_path, ["1", "2", "3"], ["10.0", "20.0", "30.0"])
    (tmp_path / "m.csv").write_text("movie_id,title\n10,Ten\n20.0,Twenty\n30,Thirty\n")
    data = load_ratings(path, ReadingRules(movies=tmp_path / "m.csv"))
    assert data.ratings["movie_id"].tolist() == [10, 20, 30]
    assert data.movies is not None
    assert data.movies.to_dict("list") == {"movie_id": [10, 20, 30], "title": ["Ten", "Twenty", "Thirty"]}
    assert any("movie_id 10.0 is read as an integer" in warning for warning in data.reading.warnings)


def test_ids_that_are_mostly_strings_stay_strings_and_a_line_is_named(tmp_path: Path) -> None:
    data = load_ratings(write(tmp_path, ["034545104X", "0345451040", "345", "0440234743"] * 5))
    assert not is_integer(data)
    assert 'ids: users are strings, since r.csv:2 has "034545104X"; movies are integers' in data.reading.lines


def test_doubtful_share_of_string_ids_is_a_warning_with_its_line(tmp_path: Path) -> None:
    data = load_ratings(write(tmp_path, ["x1", *NUMBERS[:5]]))
    [warning] = data.reading.warnings
    assert warning == (
        'users are strings, since r.csv:2 has "x1", but 5 of 6 values of user_id are integers: choose with --user-ids'
    )


def test_requested_integer_ids_are_used_or_refused(tmp_path: Path) -> None:
    path = write(tmp_path, ["x1", "x2", "3"])
    with pytest.raises(DataError, match=r'^r\.csv:2: user_id "x1" is not an integer \(7, not 007\): correct it'):
        load_ratings(path, ReadingRules(user_ids="integer"))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1.0, 2.0], [1, 2]),
        (pd.array([7, 9], dtype="Int64"), [7, 9]),
        (pd.array([7, 2**63 - 1], dtype="uint64"), [7, 2**63 - 1]),
        (pd.Categorical([7, 9]), [7, 9]),
        (["7", "08"], ["7", "08"]),
    ],
)
def test_parquet_ids_have_the_type_of_their_column(
    tmp_path: Path, values: list[object], expected: list[object]
) -> None:
    frame = pd.DataFrame({"user_id": values, "movie_id": [1, 2], "rating": [1, 2]})
    frame.to_parquet(tmp_path / "r.parquet")
    assert load_ratings(tmp_path / "r.parquet").ratings["user_id"].tolist() == expected


def test_whole_decimal_ids_of_parquet_are_integers(tmp_path: Path) -> None:
    import decimal

    frame = pd.DataFrame({"user_id": [decimal.Decimal("7.00"), decimal.Decimal("9.00")], "movie_id": [1, 2]})
    frame.assign(rating=[1.0, 2.0]).to_parquet(tmp_path / "r.parquet")
    assert load_ratings(tmp_path / "r.parquet").ratings["user_id"].tolist() == [7, 9]


@pytest.mark.parametrize("value", [1.5, float("nan"), 2.0**53])
def test_ambiguous_float_id_is_an_error_with_its_row(tmp_path: Path, value: float) -> None:
    pd.DataFrame({"user_id": [1.0, value], "movie_id": [1, 2], "rating": [1, 2]}).to_parquet(tmp_path / "r.parquet")
    with pytest.raises(DataError, match=r"^r\.parquet, row 2: user_id"):
        load_ratings(tmp_path / "r.parquet")


@pytest.mark.parametrize(("user", "movie", "told"), [(2**53, 1, ""), (2**53 + 1, 1, "users"), (1, -(2**62), "movies")])
def test_ids_too_large_for_javascript_are_reported(tmp_path: Path, user: int, movie: int, told: str) -> None:
    path = tmp_path / "r.csv"
    path.write_text(f"user_id,movie_id,rating\n{user},{movie},1\n2,3,5\n")
    said = [line for line in load_ratings(path).reading.lines if "2^53" in line]
    assert [line.split(" exceed ")[0] for line in said] == ([f"ids of {told}"] if told else [])
