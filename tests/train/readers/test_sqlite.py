"""Ratings in a SQLite file."""

import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

from ops.build import database
from train.__main__ import main as train
from train.errors import DataError
from train.readers import load_ratings
from train.readers.address import is_database
from train.readers.rules import ReadingRules
from train.update.__main__ import main as update

QUICK = [word for name in ("probe-sweeps", "max-sweeps", "score-sweeps") for word in (f"--factors.{name}", "2")]
QUICK += ["--factors.epochs", "1"]
ROWS = [(i % 40, i * 7 % 31, 1 + i * 13 % 10, 1_700_000_000 + i) for i in range(400)]
COLUMNS = "user_id, movie_id, rating, rated_at"


def make(folder: Path, rows: Iterable[Sequence[Any]] = ROWS, table: str = f"ratings ({COLUMNS})") -> Path:
    path = folder / "films.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute(f"create table {table}")
        connection.executemany(f"insert into {table.split(' ')[0]} values (?, ?, ?, ?)", rows)
    connection.close()
    return path


def run(path: Path, *statements: str) -> None:
    with sqlite3.connect(path) as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


def test_a_table_of_ratings_is_read(tmp_path: Path) -> None:
    data = load_ratings(str(make(tmp_path)))
    assert sorted(map(tuple, data.ratings.to_numpy().tolist())) == sorted(ROWS)
    assert (data.newest, data.rating_scale) == ("1700000399", (1, 10))
    assert data.reading.lines[0] == "films.sqlite: SQLite, table ratings"
    assert data.ratings.dtypes.astype(str).to_dict() == {
        "user_id": "int64",
        "movie_id": "int64",
        "rating": "float64",
        "time": "float64",
    }


def test_a_query_gives_the_columns_their_names(tmp_path: Path) -> None:
    path = make(tmp_path, table="votes (a, b, c, d)")
    query = "with v as (select a as user_id, b as movie_id, c / 2.0 as rating from votes) select * from v -- all"
    assert load_ratings(path, ReadingRules(query=query)).rating_scale == (0.5, 5)


def test_a_million_rows_are_read(tmp_path: Path) -> None:
    path = make(tmp_path, ((i % 5000, i % 20011, 1 + i * 13 % 10, i) for i in range(10**6)))
    assert len(load_ratings(path).ratings) == 10**6


def test_catalogue_comes_from_another_table_or_a_second_query(tmp_path: Path) -> None:
    path = make(tmp_path)
    run(
        path,
        "create table movies (movie_id, title, genres, year)",
        "insert into movies values (7, 'Seven', 'A|B', 1995)",
    )
    movies = load_ratings(path).movies
    assert movies is not None
    assert movies.loc[0].to_dict() == {"movie_id": 7, "title": "Seven", "year": 1995, "genres": ["A", "B"]}
    assert load_ratings(path, ReadingRules(catalogue=False)).movies is None
    query = "select movie_id, title || '!' as title from movies"
    movies = load_ratings(path, ReadingRules(movies_query=query)).movies
    assert movies is not None
    assert movies.loc[0].to_dict() == {"movie_id": 7, "title": "Seven!"}
    (tmp_path / "titles.csv").write_text("movie_id,title\n8,Eight\n")
    movies = load_ratings(path, ReadingRules(movies=tmp_path / "titles.csv")).movies
    assert movies is not None
    assert movies.title.tolist() == ["Eight"]


def test_one_text_id_does_not_turn_integer_ids_into_strings(tmp_path: Path) -> None:
    path = make(tmp_path, [*ROWS, ("TOTAL", 1, 5, 0)])
    with pytest.raises(DataError, match='the row of user_id TOTAL and movie_id 1: user_id "TOTAL" is not an integer'):
        load_ratings(path)
    assert len(load_ratings(path, ReadingRules(skip_bad_lines=1)).ratings) == 400
    assert load_ratings(path, ReadingRules(user_ids="string")).ratings.user_id.dtype == "str"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ((1, 1, None, 0), "films.sqlite, the row of user_id 1 and movie_id 1: rating is missing"),
        ((None, 1, 1, 0), "films.sqlite, the row of user_id None and movie_id 1: user_id is missing"),
        ((1.5, 1, 1, 0), "films.sqlite, the row of user_id 1.5 and movie_id 1: user_id 1.5 is not an id"),
        ((1, b"x", 1, 0), "films.sqlite: movie_id contains blobs; allowed are numbers and text"),
        ((1, 1, "good", 0), 'films.sqlite, the row of user_id 1 and movie_id 1: rating "good" is not a number'),
    ],
)
def test_error_names_the_row_by_its_ids(tmp_path: Path, row: Sequence[Any], message: str) -> None:
    with pytest.raises(DataError) as raised:
        load_ratings(make(tmp_path, [row, *((2, i, i, 0) for i in range(9))]))
    assert str(raised.value).startswith(message)


def test_error_names_the_missing_table_or_column(tmp_path: Path) -> None:
    path = make(tmp_path)
    for rules, message in (
        (ReadingRules(table="votes"), "films.sqlite: no table votes; found: ratings"),
        (ReadingRules(query="select 1 as user_id"), "films.sqlite: no column of movies; found: user_id"),
        (ReadingRules(query="select , 1"), "films.sqlite: SQLite answered: near"),
        (ReadingRules(query="select * from ratings where 0"), "films.sqlite: no ratings: a query gives no rows"),
        (ReadingRules(rating_column="stars"), "films.sqlite: no column stars; found: user_id, movie_id"),
        (ReadingRules(format="csv"), "--format: got csv; a database has none"),
    ):
        with pytest.raises(DataError) as raised:
            load_ratings(path, rules)
        assert str(raised.value).startswith(message)
    with pytest.raises(DataError, match="got both; allowed is one of them"):
        ReadingRules(query="select 1", table="ratings")
    with pytest.raises(DataError, match="no such file"):
        load_ratings(tmp_path / "other.sqlite")
    (tmp_path / "text.db").write_text("user_id,movie_id,rating\n1,2,3\n" * 99)
    with pytest.raises(DataError, match=r"text\.db: SQLite answered: file is not a database"):
        load_ratings(tmp_path / "text.db")
    (tmp_path / "r.csv").write_text("user_id,movie_id,rating\n1,2,3\n")
    with pytest.raises(DataError, match="are only for databases; this is not one"):
        load_ratings(tmp_path / "r.csv", ReadingRules(table="ratings"))


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("postgresql://ann@host/films", "postgres"),
        ("postgres://host:5432/films?sslmode=require", "postgres"),
        ("postgresql:///films?host=/run/postgresql", "postgres"),
        ("postgresql://ann@[::1]:5432/films", "postgres"),
        ("ratings.sqlite", "sqlite"),
        ("a/b/ratings.DB", "sqlite"),
        ("ratings.csv", ""),
        ("postgresql", ""),
    ],
)
def test_database_is_recognised_by_its_address(address: str, kind: str) -> None:
    assert is_database(address) is bool(kind)
    assert database.is_url(address) is (kind == "postgres")


def test_a_query_of_make_becomes_an_option() -> None:
    asked = {"DATA": "films.db", "TABLE": "a b", "MOVIES_QUERY": "", "TRAIN_ARGS": "--seed 1", "PORT": "1"}
    told = database.with_options(asked, "DATA", "TRAIN_ARGS")
    assert told == {"DATA": "films.db", "TRAIN_ARGS": "--table 'a b' --seed 1", "PORT": "1"}
    assert database.with_options({"QUERY": "select 'x'"}, "DATA", "TRAIN_ARGS") == {
        "TRAIN_ARGS": """--query 'select '"'"'x'"'"''"""
    }


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://ann:s3cret@host/films",
        "postgresql://ann:s3@cret@host/films",
        "postgresql://ann:s3/cret@host/films",
        "postgres://:s3cret@host",
        "postgresql://host/films?user=ann&password=s3cret",
        "postgresql://host/films?PassWord=s3cret",
    ],
)
def test_a_password_in_an_address_is_refused_and_not_repeated(address: str) -> None:
    with pytest.raises(DataError, match="holds a password: leave it out") as raised:
        is_database(address)
    with pytest.raises(ValueError, match="holds a password: leave it out") as by_make:
        database.with_options({"RATINGS": address}, "RATINGS", "UPDATE_ARGS")
    assert "s3" not in f"{raised.value}{by_make.value}"


def test_update_reads_only_newer_rows_and_counts_none_twice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, base, out = make(tmp_path), tmp_path / "1.0", tmp_path / "1.1"
    assert train(["--data", str(path), "--out", str(base), *QUICK]) == 0
    run(path, *(f"insert into ratings values ({100 + i}, {i}, 5, {1_800_000_000 + i})" for i in range(7)))
    capsys.readouterr()
    assert update(["--ratings", str(path), "--base", str(base / "ncf.pt"), "--out", str(out)]) == 0
    told = capsys.readouterr().out
    assert "films.sqlite: rows of rated_at 1700000399 and later only" in told
    assert ": 7 ratings (0 of pairs rated before) by 7 users (7 new)" in told
    assert update(["--ratings", str(path), "--base", str(out / "ncf.pt"), "--out", str(tmp_path / "1.2")]) == 2
    since = ["--since", "1800000003", "--count-again"]
    assert update(["--ratings", str(path), "--base", str(base / "ncf.pt"), "--out", str(tmp_path / "1.3"), *since]) == 0
    assert ": 4 ratings" in capsys.readouterr().out
