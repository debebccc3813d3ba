"""Files with mistakes: they are read as intended with a warning about doubts, or refused with the line."""

import gzip
import io
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest

from train.readers import DataError, ReadingRules, load_ratings

Row = tuple[int, int, int]
ROWS: list[Row] = [(user, movie, (user * 7 + movie) % 5 + 1) for user in range(1, 9) for movie in range(10, 16)]


def written(*fields: str, rows: list[Row] = ROWS, last: str = "") -> str:
    """Rows with these texts as fields; {u}, {m} and {r} are replaced."""
    return "\n".join(",".join(fields).format(u=u, m=m, r=r) for u, m, r in rows) + "\n" + last


def read(path: Path, content: str | bytes, rules: ReadingRules | None = None) -> tuple[list[list[float]], str]:
    """The rows, and all lines of the report."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    data = load_ratings(path, rules or ReadingRules())
    return data.ratings[["user_id", "movie_id", "rating"]].to_numpy().tolist(), data.reading.text()


HEAD, NOTED = "user_id,movie_id,rating\n", "user_id,movie_id,note,rating\n"
TIMED = "user_id,movie_id,rating,timestamp\n"
PLAIN = HEAD + written("{u}", "{m}", "{r}")


@pytest.mark.parametrize(
    "note", [r'"He said \"hi\", and left"', r'"\"all of it\""', r"a\, b", r'"ends with \""', r'"two\nlines, \"one\""']
)
@pytest.mark.parametrize("each", [True, False])
def test_backslashes_before_quotes_and_delimiters_are_understood(tmp_path: Path, note: str, each: bool) -> None:
    note = note.replace(r"\n", "\n")
    lines = [f"{u},{m},{note if each or m == 12 else 'plain'},{r}" for u, m, r in ROWS]
    rows, told = read(tmp_path / "r.csv", NOTED + "\n".join(lines) + "\n")
    assert rows == [list(row) for row in ROWS]
    assert "r.csv: text in utf-8, comma between fields, a header line, a backslash before quotes within fields" in told


def test_titles_with_backslashes_before_quotes_lose_only_the_backslashes(tmp_path: Path) -> None:
    (tmp_path / "movies.csv").write_text(
        "movie_id,title\n" + "".join(f'{m},"The \\"Best\\" of {m}, again"\n' for m in range(10, 16))
    )
    (tmp_path / "ratings.csv").write_text(PLAIN)
    data = load_ratings(tmp_path / "ratings.csv")
    assert data.movies is not None
    assert data.movies["title"].tolist() == [f'The "Best" of {m}, again' for m in range(10, 16)]
    assert data.reading.warnings == []


def test_a_path_that_ends_in_a_backslash_is_text(tmp_path: Path) -> None:
    rows, told = read(tmp_path / "r.csv", NOTED + written("{u}", "{m}", '"C:\\"', "{r}"))
    assert rows == [list(row) for row in ROWS]
    assert "backslash" not in told


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (TIMED + written("{u}", "{m}", "{r}", "16000000{u}0") + "9,10,1,0\n", "r.csv:50: timestamp 0 is 1970-01-01"),
        (TIMED + written("{u}", "{m}", "{r}", "1600000000000") + "9,10,1,1600000000\n", "timestamp 1600000000 is 1970"),
        (TIMED + written("{u}", "{m}", "{r}", "200{u}"), "timestamp 2001 is 1970-01-01, in 48 rows, that is"),
        (PLAIN + "-1,10,3\n", "r.csv:50: user_id -1, in 1 row, is read as an ordinary id"),
        (PLAIN + "9,10,-0\n", "r.csv:50: rating 0 (1 row) counts as the lowest rating; the next is 1"),
        (PLAIN + "9,10,99\n", "r.csv:50: rating 99 (1 row) counts as the highest rating; the next is 5"),
        (PLAIN + "8,15,2\n", "r.csv:50: the same user, movie and rating as in an earlier row"),
        (PLAIN + " 8,15,2.0\n", "r.csv:50: the same user, movie and rating as in an earlier row"),
        (HEAD + written("{u}\u00a0", "{m}", "{r}"), "r.csv:2: spaces around user_id are left out, in 48 rows"),
        (HEAD + written("'{u}'", "{m}", "{r}"), "users are strings, since r.csv:2 has \"'1'\""),
        (HEAD + written('"{u},000"', "{m}", "{r}"), 'users are strings, since r.csv:2 has "1,000"'),
        ("a," + HEAD + written("1", "{u}", "{m}", "{r}"), "columns: user_id for users, movie_id for movies"),
        ("predicted_rating," + HEAD + written("9", "{u}", "{m}", "{r}"), "rating for ratings"),
        ("score," + HEAD + written("9", "{u}", "{m}", "{r}"), "rating is used for ratings; score may also be"),
        (written("{r}", "{u}", "{m}"), "the first row is user 3, movie 1 and rating 10: --user-column"),
        (PLAIN.encode("utf-16"), "text in utf-16-le"),
        (HEAD.encode() + written("é{u}", "{m}", "{r}").encode("latin-1"), "r.csv:2: is not UTF-8; it is read as"),
    ],
)  # fmt: skip
def test_doubts_are_reported(tmp_path: Path, content: str | bytes, told: str) -> None:
    rows, said = read(tmp_path / "r.csv", content)
    assert told in said
    assert len(rows) in (48, 49)


def test_a_rare_end_of_the_scale_is_a_warning(tmp_path: Path) -> None:
    many = [(user, movie, (user * 3 + movie) % 10 + 1) for user in range(60) for movie in range(60)]
    _, told = read(tmp_path / "r.csv", HEAD + written("{u}", "{m}", "{r}", rows=many) + "70,1,11\n")
    assert "r.csv:3602: rating 11 (1 row) counts as the highest rating; the next is 10; --not-rated 11" in told
    assert "scale: 1 to 11, the lowest (360 rows) and the highest (1 row) of 11 different ratings in the file" in told


def parquet() -> bytes:
    body = io.BytesIO()
    pyarrow.parquet.write_table(pa.table({"user_id": [1, 2], "movie_id": [3, 4], "rating": [1, 2]}), body)
    return body.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "error"),
    [
        ("r.csv", "sep=;\n" + PLAIN, "r.csv: no column of users; found: user_id,movie_id,rating; give the delimiter"),
        ("r.csv", HEAD + written("{u}", "{m}", "{r}", ""), "r.csv:2: 4 fields; allowed are 3"),
        ("r.csv", PLAIN + "\x1a", "r.csv:50: 1 field; allowed are 3"),
        ("r.csv", PLAIN + PLAIN, 'r.csv:50: user_id "user_id" is not an integer'),
        ("r.csv", HEAD + written("u{u}", "m{m}", "{r}") + HEAD, 'r.csv:50: rating "rating" is not a number'),
        ("r.csv", PLAIN + "\ufeff9,10,1\n", 'r.csv:50: user_id "\ufeff9" is not an integer'),
        ("r.csv", PLAIN + "７,10,1\n", 'r.csv:50: user_id "７" is not an integer'),
        ("r.csv", PLAIN + "1.2E+05,10,1\n", 'r.csv:50: user_id "1.2E+05" may have lost digits'),
        ("r.csv", PLAIN + "9,10,inf\n", "r.csv:50: rating inf is not a finite number"),
        ("r.csv", HEAD + written("{u}", "{m}", "{r}/5"), 'r.csv:2: rating "3/5" is not a number'),
        ("r.csv", HEAD + written("{u}", "{m}", "{r}0%"), 'r.csv:2: rating "30%" is not a number'),
        ("r.csv", gzip.compress(PLAIN.encode()), "r.csv: is not text but compressed by gzip: rename it to end in .gz"),
        ("r.csv", parquet(), "r.csv: is not text but Parquet: rename it to end in .parquet"),
        ("r.csv", b"PK\x03\x04" + PLAIN.encode(), "r.csv: is not text but a zip archive or a workbook"),
        ("r.parquet", PLAIN, "r.parquet: cannot be read as Parquet"),
        ("r.jsonl", '{"user_id": 1, "user_id": 2, "movie_id": 3, "rating": 4}', ':1: an object has "user_id" twice'),
        ("r.jsonl", '{"user_id": 9223372036854775809, "movie_id": 3, "rating": 4}', "holds a number beyond 64 bits"),
        ("r.jsonl", '{"user": {"id": 1}, "movie_id": 3, "rating": 4}\n', "r.jsonl: user is of type struct"),
        ("r.jsonl", '{"user_id": 1, "movie_id": 3, "rating": null}\n', 'means "not rated": --not-rated "null"'),
        ("r.jsonl", '{"user_id": 1, "movie_id": 3, "rating": true}\n', "r.jsonl: rating is of type bool"),
    ],
)  # fmt: skip
def test_impossible_files_are_refused(tmp_path: Path, name: str, content: str | bytes, error: str) -> None:
    with pytest.raises(DataError) as refused:
        read(tmp_path / name, content)
    assert error in str(refused.value)


def test_field_names_inside_json_texts_are_not_duplicates(tmp_path: Path) -> None:
    lines = [f'{{"user_id": {u}, "movie_id": {m}, "rating": {r}, "note": "rating"}}' for u, m, r in ROWS]
    rows, _ = read(tmp_path / "r.jsonl", "\n".join(lines))
    assert rows == [list(row) for row in ROWS]
