"""Every error in the data names the file and the line, what was found, and what is allowed."""

import re
from pathlib import Path

import pandas as pd
import pytest

from train.readers import DataError, ReadingRules, load_ratings

HEADER = "user_id,movie_id,rating\n"
GOOD = HEADER + "1,2,3\n4,5,6\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "r.csv: the file is empty"),
        (b"\r\n\r\n", "r.csv: the file is empty"),
        (HEADER.encode(), "r.csv: no ratings; the file ends after its header"),
        (
            b"user_id,thing,rating\n1,2,3\n",
            "r.csv: no column of movies; found: user_id, thing, rating; name it with --movie-column",
        ),
        (b"user_id,movie_id,rating,rating\n1,2,3,4\n", "r.csv: column rating occurs more than once"),
        (GOOD.encode() + b"7,8\n", "r.csv:4: 2 fields; allowed are 3: user_id,movie_id,rating"),
        (GOOD.encode() + b"\n7,8,9,1\n", "r.csv:5: 4 fields; allowed are 3"),
        (GOOD.encode() + b"   \n", "r.csv:4: 1 field; allowed are 3"),
        (GOOD.encode() + b"7,8,abc\n", 'r.csv:4: rating "abc" is not a number'),
        (GOOD.encode() + b"7,8,\n1,1,x\n", 'r.csv:4: rating "" is not a number'),
        (GOOD.encode() + b'7,8,"3,5"\n7,8,3.5\n', 'r.csv:4: rating "3,5" is not a number'),
        (GOOD.encode() + b"7,8,NaN\n", "r.csv:4: rating NaN is not a finite number"),
        (GOOD.encode() + b"7,8,-inf\n1,1,x", 'r.csv:4: rating "-inf" is not a number'),
        (GOOD.encode() + b"7,8,1e999\n", "r.csv:4: rating 1e999 is not a finite number"),
        (GOOD.encode() + b",8,9\n", "r.csv:4: user_id is empty"),
        (GOOD.encode() + b'7,"",9\n', "r.csv:4: movie_id is empty"),
        (GOOD.encode() + b'7,"8,9\n1,2,3\n', 'r.csv:4: movie_id "8 has a quote; close it in its field'),
        (GOOD.encode() + b'7,8,"9\n1,2,3\n', 'r.csv:4: rating ""9" is not a number'),
        (GOOD.encode() + b'7,"8,9\n1,2\n', "r.csv:4: a quote is not closed correctly"),
        (GOOD.encode() + b'7,"8\n9",9\n', "r.csv:4: movie_id contains a line break"),
        (GOOD.encode() + b"7,\x00,9\n", "r.csv:4: byte 0x00 is not text in utf-8; name another encoding"),
        (GOOD.encode("utf-16-le"), "r.csv:1: byte 0x00 is not text in utf-8; name another encoding with --encoding"),
        (HEADER.encode() + b"1,2,3\n4,5,3.0\n", "r.csv: every rating is 3; two different ones are needed"),
    ],
)
def test_a_faulty_file_is_refused_with_its_line(tmp_path: Path, text: bytes, message: str) -> None:
    path = tmp_path / "r.csv"
    path.write_bytes(text)
    with pytest.raises(DataError, match="^" + re.escape(message)):
        load_ratings(path)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("rates.csv", "user,movie,rate\n0,1,7\n0,2,11\n", "rates.csv:3: rate 11 is outside 1..10"),
        ("rates.csv", "user,movie,rate\n0,1,7\n\n0,2,0.5\n", "rates.csv:4: rate 0.5 is outside 1..10"),
        ("rates.csv", 'user,movie,rate,x\n0,1,7,"a\nb"\n0,2,-1,\n', "rates.csv:4: rate -1 is outside 1..10"),
        ("ratings.dat", "1::2::3::4\n1::2::11::4\n", "ratings.dat:2: rating 11 is outside 1..10"),
        (
            "ratings.dat",
            "1::2::3::4\n1::2::3\n",
            "ratings.dat:2: 3 fields; allowed are 4: user::movie::rating::",
        ),
        (
            "ratings.dat",
            "1::2\n",
            "ratings.dat: no column rating; found: user, movie; wanted: user, movie, rating",
        ),
        (
            "ratings.dat",
            "1::2::3::4::5\n",
            "ratings.dat:1: 5 fields; allowed are 4: user::movie::rating::timestamp",
        ),
        ("u.data", "1\t2\t3\t4\n1\t2\tx\t4\n", 'u.data:2: rating "x" is not a number'),
    ],
)
def test_fault_in_a_known_format_is_reported_in_its_terms(tmp_path: Path, name: str, text: str, message: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(DataError, match="^" + re.escape(message)):
        load_ratings(tmp_path, rating_scale=(1, 10))


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("movies.txt", "movie\tyear\n1\tMMX\n", 'movies.txt:2: year "MMX" is not a whole number'),
        ("genres.csv", "movie,genre\n1\n", "genres.csv:2: 1 field; allowed are 2: movie,genre"),
        ("countries.csv", "film,country\n", "countries.csv: no column movie; found: film, country"),
        (
            "castings.csv",
            "movie,people,order\n1,2,first\n",
            'castings.csv:2: order "first" is not a whole number',
        ),
    ],
)
def test_fault_in_the_catalogue_is_reported(tmp_path: Path, name: str, text: str, message: str) -> None:
    (tmp_path / "rates.csv").write_text("user,movie,rate\n0,1,7\n0,2,9\n")
    (tmp_path / "peoples.txt").write_text("people\tkorean\n2\tx\n")
    (tmp_path / name).write_text(text)
    with pytest.raises(DataError, match="^" + re.escape(message)):
        load_ratings(tmp_path)


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (
            {"user_id": [1.5, 2], "movie_id": [1, 2], "rating": [1, 2]},
            "r.parquet, row 1: user_id 1.5 is not an id; allowed are whole numbers",
        ),
        (
            {"user_id": ["a", None], "movie_id": [1, 2], "rating": [1, 2]},
            "r.parquet, row 2: user_id is missing",
        ),
        ({"user_id": [1, 2], "movie_id": ["a", ""], "rating": [1, 2]}, "r.parquet, row 2: movie_id is empty"),
        (
            {"user_id": [1, 2], "movie_id": ["a", "b\0"], "rating": [1, 2]},
            "row 2: movie_id holds a NUL character",
        ),
        (
            {"user_id": [1, 2**63], "movie_id": [1, 2], "rating": [1, 2]},
            "row 2: user_id 9223372036854775808 is above",
        ),
        ({"user_id": [1, 2], "movie_id": [1, 2], "rating": [1, float("nan")]}, "r.parquet, row 2: rating"),
        ({"user_id": [1, 2], "movie_id": [1, 2], "rating": [True, False]}, "rating is of type bool"),
        ({"user_id": [1, 2], "movie_id": [1, 2]}, "r.parquet: no column of ratings; found: user_id, movie_id"),
    ],
)
def test_a_faulty_parquet_file_is_refused(tmp_path: Path, frame: dict[str, list[object]], message: str) -> None:
    pd.DataFrame(frame).to_parquet(tmp_path / "r.parquet")
    with pytest.raises(DataError, match=re.escape(message)):
        load_ratings(tmp_path / "r.parquet")


def test_file_that_is_not_parquet_is_refused(tmp_path: Path) -> None:
    (tmp_path / "r.parquet").write_text(GOOD)
    with pytest.raises(DataError, match=r"^r\.parquet: cannot be read as Parquet"):
        load_ratings(tmp_path / "r.parquet")


def test_impossible_options_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text(GOOD)
    with pytest.raises(DataError, match="no such file or folder"):
        load_ratings(tmp_path / "absent.csv")
    with pytest.raises(DataError, match="are for csv, parquet and jsonl; got them for kmrd"):
        load_ratings(path, ReadingRules(format="kmrd", delimiter=";"))
    with pytest.raises(DataError, match="--delimiter: got nothing; allowed is one character or more"):
        load_ratings(path, ReadingRules(delimiter=""))
    with pytest.raises(DataError, match="--skip-bad-lines: got -1; allowed is 0 or more"):
        load_ratings(path, ReadingRules(skip_bad_lines=-1))
    with pytest.raises(DataError, match="--encoding: got utf-9; allowed are utf-8, cp949, latin-1 and others"):
        load_ratings(path, ReadingRules(encoding="utf-9"))
    with pytest.raises(DataError, match=r"rating_scale: got 5\.\.5"):
        load_ratings(path, rating_scale=(5, 5))
    with pytest.raises(DataError, match=r"--movies: .*is a folder; allowed is a file"):
        load_ratings(path, ReadingRules(movies=tmp_path))
    with pytest.raises(DataError, match=r"m\.csv: no such file or folder"):
        load_ratings(path, ReadingRules(movies=tmp_path / "m.csv"))
    with pytest.raises(DataError, match="columns: got a, a; allowed are different names"):
        ReadingRules(user_column="a", movie_column="a")
