"""Ratings in a real PostgreSQL database."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model.artifact import load_artifact
from tests.train.readers.postgres import PASSWORD, Server, find_programs, running
from tests.waiting import wait_until
from train.__main__ import main as train
from train.errors import DataError
from train.readers import load_ratings
from train.readers.rules import ReadingRules
from train.update.__main__ import main as update

PROGRAMS = find_programs()
pytest.importorskip("adbc_driver_postgresql")
pytestmark = pytest.mark.skipif(PROGRAMS is None, reason="PostgreSQL is not installed")
QUICK = [word for name in ("probe-sweeps", "max-sweeps", "score-sweeps") for word in (f"--factors.{name}", "2")]
QUICK += ["--factors.epochs", "1"]
RATED = """
    create table {name} as select i % 40 as user_id, (i * 7 % 31)::bigint as movie_id, 1 + i * 13 % 10 as rating,
    timestamptz '2026-01-01 00:00:00+00' + i * interval '1 minute' as rated_at from generate_series(1, {rows}) i
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    assert PROGRAMS is not None
    with running(PROGRAMS) as one:
        one.run(RATED.format(name="rated", rows=200), "create table other as select 1")
        yield one


@pytest.fixture(autouse=True)
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSWORD", PASSWORD)


def read(server: Server, **rules: Any) -> Any:
    return load_ratings(server.url, ReadingRules(**rules))


def test_a_million_rows_are_read(server: Server) -> None:
    server.run(
        "create table many as select (i % 5000)::int as user_id, i % 20011 as movie_id, 1 + i * 13 % 10 as rating, "
        "i as rated_at from generate_series(1::bigint, 1000000) i"
    )
    data = read(server, query="select user_id, movie_id, rating, rated_at from many;")
    assert len(data.ratings) == 1_000_000
    assert (data.ratings.user_id.nunique(), data.ratings.movie_id.nunique()) == (5_000, 20_011)
    assert (data.newest, data.rating_scale) == ("1000000", (1, 10))


def test_every_type_of_number_keeps_its_value(server: Server) -> None:
    server.run(
        "create table typed (who smallint, what numeric, stars numeric(3, 1), at date)",
        "insert into typed values (7, 9007199254740993, 3.5, '2026-01-02'), (8, 12, 0.5, '2026-01-03')",
    )
    data = read(server, table="typed", user_column="who", movie_column="what", rating_column="stars")
    assert data.ratings.to_dict("list") == {"user_id": [7, 8], "movie_id": [9007199254740993, 12], "rating": [3.5, 0.5]}
    assert data.ratings.movie_id.dtype == np.int64
    for type_name, values in (("real", [0.5, 3.5]), ("double precision", [0.5, 3.5]), ("text", [0.5, 3.5])):
        cast = read(server, query=f"select who as user_id, what as movie_id, stars::{type_name} as rating from typed")
        assert sorted(cast.ratings.rating) == values


def test_uuids_are_strings(server: Server) -> None:
    one, other = "00000000-0000-4000-8000-00000000000a", "f0000000-0000-4000-8000-00000000000b"
    server.run(
        "create table uuids (user_id uuid, movie_id uuid, rating int)",
        f"insert into uuids values ('{one}', '{other}', 1), ('{other}', '{one}', 5)",
    )
    data = read(server, table="uuids")
    assert data.ratings.user_id.tolist() == [one, other]


def test_fractions_and_other_types_are_refused_as_ids(server: Server) -> None:
    sql = "select {} as user_id, 1 as movie_id, 2 as rating union all select 3, 4, 5"
    with pytest.raises(DataError, match=r"user_id 1\.5000000000 is not an id"):
        read(server, query=sql.format("1.5::numeric"))
    with pytest.raises(DataError, match="user_id nan is not an id"):
        read(server, query=sql.format("'nan'::numeric"))
    with pytest.raises(DataError, match="user_id is of type bool"):
        read(server, query="select true as user_id, 1 as movie_id, 2 as rating")


def test_null_is_reported_with_its_row(server: Server) -> None:
    sql = "select 7 as user_id, 3 as movie_id, {} as rating union all select 8, 4, 5 union all select 9, 4, 1"
    with pytest.raises(DataError, match="the row of user_id 7 and movie_id 3: rating is missing"):
        read(server, query=sql.format("null"))
    data = read(server, query=sql.format("null"), skip_bad_lines=1)
    assert data.ratings.user_id.tolist() == [8, 9]


def test_row_order_changes_neither_data_nor_digest(server: Server) -> None:
    server.run(
        RATED.format(name="forward", rows=300), "create table backward as select * from forward order by rated_at desc"
    )
    one, other = read(server, table="forward"), read(server, table="backward")
    assert one.sha256 == other.sha256
    assert one.ratings.equals(other.ratings)


def test_catalogue_comes_from_a_second_query(server: Server) -> None:
    server.run(
        "create table shelf (number int, label text, kinds text[], released date)",
        "insert into shelf select i, 'Film ' || i, array['Drama', 'Crime'], '1990-05-01' from generate_series(0, 30) i",
    )
    films = "select number as movie_id, label as title, kinds as genres, released as year from shelf"
    movies = read(server, table="rated", movies_query=films).movies.set_index("movie_id")
    assert movies.loc[7].to_dict() == {"title": "Film 7", "year": 1990, "genres": ["Drama", "Crime"]}
    with pytest.raises(DataError, match="knows none of the rated movies"):
        read(server, table="rated", movies_query="select number + 1000 as movie_id, label as title from shelf")


def test_table_is_found_by_its_name_or_by_the_option(server: Server) -> None:
    server.run('create schema "Other"', 'create table "Other"."Odd ""Name" as select * from rated')
    assert len(read(server, table='Other.Odd "Name').ratings) == 200
    with pytest.raises(DataError, match=r"no table films; found: .*rated"):
        read(server, table="films")
    with pytest.raises(DataError, match="which table has the ratings"):
        read(server)


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ({"query": "select 1 as user_id, 2 as rating"}, "no column of movies; found: user_id, rating"),
        ({"query": "select user_id, movie_id, stars from rated"}, 'PostgreSQL answered: column "stars" does not exist'),
        ({"query": "select * from nowhere"}, 'PostgreSQL answered: relation "nowhere" does not exist'),
        ({"query": "selekt"}, "PostgreSQL answered: syntax error at or near"),
        ({"table": "rated", "rating_column": "stars"}, "no column stars; found: user_id, movie_id, rating, rated_at"),
        ({"query": "select * from rated where false"}, "no ratings: a query gives no rows"),
        ({"table": "rated", "since": "2027-01-01"}, "table rated gives no rows from rated_at 2027-01-01 on"),
        ({"table": "rated", "since": "soon"}, "invalid input syntax for type timestamp with time zone"),
        ({"query": "select 1 as user_id, 2 as movie_id, 3 as rating", "since": "1"}, "--since needs a column of times"),
        ({"query": "select 1 / 0 as user_id, 2 as movie_id, 3 as rating"}, "PostgreSQL answered: division by zero"),
    ],
)
def test_error_names_what_the_database_lacks(server: Server, rules: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message.replace("(", r"\(")) as raised:
        read(server, **rules)
    assert str(raised.value).startswith("127.0.0.1/postgres: ")
    assert "\n" not in str(raised.value)


def test_a_query_cannot_write(server: Server) -> None:
    for sql in ("delete from rated", "with gone as (delete from rated returning *) select * from gone"):
        with pytest.raises(DataError, match="PostgreSQL answered: "):
            read(server, query=sql)
    assert server.run("select count(*) from rated") == [(200,)]


def test_lost_connection_is_reported(server: Server) -> None:
    def cut() -> None:
        waiting = "select pid from pg_stat_activity where query like '%pg_sleep%' and pid <> pg_backend_pid()"
        cut_off = f"select pg_terminate_backend(pid) from ({waiting}) one"
        wait_until(lambda: server.run(cut_off), "the query runs")

    thread = threading.Thread(target=cut)
    thread.start()
    slow = "select i as user_id, i as movie_id, i % 5 as rating from generate_series(1, 600) i, pg_sleep(0.05 * i)"
    with pytest.raises(DataError, match=r"^127\.0\.0\.1/postgres: PostgreSQL answered: .*(terminat|closed)"):
        read(server, query=slow)
    thread.join()


def test_password_is_never_shown(
    server: Server, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ["--out", str(tmp_path / "1.0"), "--table", "rated", *QUICK]
    assert train(["--data", server.url, *command]) == 0
    monkeypatch.setenv("PGPASSWORD", "wrong-word")
    assert train(["--data", server.url, "--out", str(tmp_path / "1.1"), "--table", "rated"]) == 2
    with_password = server.url.replace("ann@", f"ann:{PASSWORD}@")
    for address in (with_password, f"{server.url}?password={PASSWORD}", with_password.replace("postgresql", "mysql")):
        assert train(["--data", address, "--out", str(tmp_path / "1.1")]) == 2
    shown = "".join(capfd.readouterr())
    assert "password authentication failed" in shown
    assert "the address holds a password" in shown
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    for word in (PASSWORD, "wrong-word"):
        assert word not in shown
        assert word.encode() not in written


def test_update_reads_only_newer_rows_and_counts_none_twice(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.run(RATED.format(name="growing", rows=400))
    base, first, second = (tmp_path / name for name in ("1.0", "1.1", "1.2"))
    assert train(["--data", server.url, "--table", "growing", "--out", str(base), *QUICK]) == 0
    assert load_artifact(base / "ncf.pt").metadata["data"]["newest"] == "2026-01-01 06:40:00+00:00"

    later = "timestamptz '2026-02-01 00:00:00+00' + i * interval '1 minute'"
    add = f"insert into growing select 1000 + i, i % 31, 1 + i % 10, {later} from generate_series({{}}, {{}}) i"
    for out, source, number in ((first, base, 0), (second, first, 10)):
        server.run(add.format(number + 1, number + 10))
        words = ["--ratings", server.url, "--base", str(source / "ncf.pt"), "--out", str(out), "--version", out.name]
        capsys.readouterr()
        assert update(words) == 0
        assert ": 10 ratings (0 of pairs rated before) by 10 users (10 new)" in capsys.readouterr().out
        artifact = load_artifact(out / "ncf.pt")
        assert len(artifact.history.ratings) == 400 + number + 10

    words = ["--ratings", server.url, "--base", str(second / "ncf.pt"), "--out", str(tmp_path / "1.3")]
    assert update(words) == 2
    assert "already has all of its 1 rating;" in capsys.readouterr().err
