"""Times in any notation become seconds since 1970. An unreadable time is an error only in a column that was named."""

import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest

from train.errors import DataError
from train.readers import load_ratings
from train.readers.rules import ReadingRules

SECONDS = [1126009800, 1126009801]  # 2005-09-06T12:30:00Z


def written(folder: Path, times: list[str], name: str = "timestamp") -> Path:
    path = folder / "r.csv"
    rows = [f"{row},{row},{row + 1},{time}" for row, time in enumerate(times)]
    path.write_text("\n".join([f"user,movie,rating,{name}", *rows]) + "\n")
    return path


@pytest.mark.parametrize(
    ("times", "how"),
    [
        (["1126009800", "1126009801"], "seconds"),
        (["1126009800000", "1126009801000"], "milliseconds"),
        (["1126009800000000", "1126009801000000"], "microseconds"),
        (["1126009800000000000", "1126009801000000000"], "nanoseconds"),
        (["2005-09-06T12:30:00", "2005-09-06 12:30:01"], "ISO text"),
        (["2005-09-06T12:30:00Z", "2005-09-06T21:30:01+09:00"], "ISO text"),
    ],
)
def test_times_of_any_unit_become_seconds(tmp_path: Path, times: list[str], how: str) -> None:
    data = load_ratings(written(tmp_path, times))
    assert data.ratings["time"].tolist() == SECONDS
    assert f"times: {how}, 2005-09-06 to 2005-09-06" in data.reading.lines


def test_dates_without_time_are_read(tmp_path: Path) -> None:
    data = load_ratings(written(tmp_path, ["2005-09-06", "1970-01-02"], "date"))
    assert data.ratings["time"].tolist() == [1125964800, 86400]


def test_dates_of_a_typed_file_are_times(tmp_path: Path) -> None:
    moments = [datetime.datetime.fromtimestamp(one, datetime.UTC) for one in SECONDS]
    table = pa.table({"user": [1, 2], "movie": [1, 2], "rating": [1.0, 2.0], "timestamp": moments})
    pyarrow.parquet.write_table(table, tmp_path / "r.parquet")
    assert load_ratings(tmp_path / "r.parquet").ratings["time"].tolist() == SECONDS


def test_unreadable_time_is_reported_and_ignored(tmp_path: Path) -> None:
    data = load_ratings(written(tmp_path, ["1126009800", "soon"]))
    assert list(data.ratings) == ["user_id", "movie_id", "rating"]
    (told,) = [line for line in data.reading.lines if line.startswith("times")]
    assert told.startswith('times: not used; r.csv:3: timestamp is "soon", which is not a time; allowed are seconds')


def test_unreadable_time_in_a_named_column_is_an_error(tmp_path: Path) -> None:
    path = written(tmp_path, ["1126009800", ""], "seen")
    with pytest.raises(
        DataError, match=r'^r\.csv:3: seen is "", which is not a time; allowed are seconds or milliseconds'
    ):
        load_ratings(path, ReadingRules(time_column="seen"))
    data = load_ratings(path, ReadingRules(time_column="seen", skip_bad_lines=1), (1, 10))
    assert data.ratings["time"].tolist() == SECONDS[:1]


def test_rows_that_are_left_out_need_no_time(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text("user,movie,rating,time\n1,1,3,10\n1,2,-1,\n2,2,4,20\n")
    data = load_ratings(path, ReadingRules(not_rated=("-1",)))
    assert data.ratings["time"].tolist() == [10, 20]
