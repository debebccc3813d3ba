"""Files as people have them: without a header, in other encodings, packed, in parts, as JSON Lines."""

import bz2
import gzip
import json
import lzma
import zipfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from train.readers import DataError, ReadingRules, load_ratings

ROWS = [[1, 10, 3.0], [2, 20, 4.5], [1, 20, 2.0]]
TEXT = "user_id,movie_id,rating\n1,10,3\n2,20,4.5\n1,20,2\n"


def rows(path: Path, rules: ReadingRules | None = None) -> list[list[float]]:
    ratings = load_ratings(path, rules or ReadingRules()).ratings
    found: list[list[float]] = ratings[["user_id", "movie_id", "rating"]].to_numpy().tolist()
    return found


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|", "::", " "])
@pytest.mark.parametrize("header", [True, False])
def test_the_delimiter_and_a_missing_header_are_found(tmp_path: Path, delimiter: str, header: bool) -> None:
    text = TEXT if header else TEXT.partition("\n")[2]
    (tmp_path / "r.txt").write_text(text.replace(",", delimiter))
    data = load_ratings(tmp_path / "r.txt")
    assert data.ratings.to_numpy().tolist() == ROWS
    assert data.locate(0) == f"r.txt:{1 + header}"
    if not header:
        [warning] = data.reading.warnings
        assert warning == (
            "r.txt: no header line, so column 1 is taken for users, column 2 is taken for movies and column 3 is taken "
            "for ratings: --user-column, --movie-column and --rating-column decide, by number"
        )


def test_columns_are_chosen_by_number_where_there_is_no_header(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("5/1/2020,3,10,1\n5/2/2020,4.5,20,2\n5/3/2020,2,20,1\n")
    by_number = ReadingRules(header=False, user_column="4", movie_column="3", rating_column="2")
    assert rows(tmp_path / "r.csv", by_number) == ROWS
    with pytest.raises(DataError, match=r"^r\.csv: no column 5; found: 1, 2, 3, 4; --user-column names"):
        load_ratings(tmp_path / "r.csv", ReadingRules(user_column="5"))


def test_a_header_of_strings_is_no_row_where_one_says_so(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("ann,matrix,3\nbob,alien,4\n")
    assert load_ratings(tmp_path / "r.csv").ratings["user_id"].tolist() == ["ann", "bob"]


def test_a_tab_may_be_written_as_its_escape(tmp_path: Path) -> None:
    (tmp_path / "r.txt").write_text(TEXT.replace(",", "\t"))
    assert rows(tmp_path / "r.txt", ReadingRules(delimiter=r"\t")) == ROWS


@pytest.mark.parametrize("encoding", ["cp949", "euc-kr", "latin-1", "cp1252", "utf-8-sig", "utf-16"])
def test_text_in_another_encoding_is_read_as_it_was_meant_and_a_guess_is_said(tmp_path: Path, encoding: str) -> None:
    korean = encoding in ("cp949", "euc-kr", "utf-8-sig", "utf-16")
    title = "시네마 천국" if korean else "Amélie, Ängel à Köln"
    (tmp_path / "r.csv").write_text(TEXT)
    (tmp_path / "m.csv").write_bytes(f'movie_id,title\n10,"{title}"\n20,x\n'.encode(encoding))
    data = load_ratings(tmp_path / "r.csv", ReadingRules(movies=tmp_path / "m.csv"))
    assert data.movies is not None
    assert data.movies["title"].tolist() == [title, "x"]
    guessed = encoding not in ("utf-8-sig", "utf-16")
    assert [warning.startswith("m.csv:2: is not UTF-8; it is read as cp") for warning in data.reading.warnings] == (
        [True] if guessed else []
    )


def test_an_encoding_that_was_said_is_used_or_refused_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_bytes("user_id,movie_id,rating\nа,x,1\nб,y,2\n".encode("cp1251"))
    data = load_ratings(tmp_path / "r.csv", ReadingRules(encoding="cp1251"))
    assert data.ratings["user_id"].tolist() == ["а", "б"]
    assert data.reading.warnings == []
    with pytest.raises(DataError, match=r"^r\.csv:2: byte 0xe0 is not text in utf-8; name an encoding other than"):
        load_ratings(tmp_path / "r.csv", ReadingRules(encoding="utf-8"))


PACK: dict[str, Callable[[bytes], bytes]] = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}


@pytest.mark.parametrize("suffix", PACK)
def test_a_packed_file_is_read_and_a_broken_one_refused(tmp_path: Path, suffix: str) -> None:
    (tmp_path / "plain.csv").write_text(TEXT)
    path = tmp_path / f"r.csv{suffix}"
    packed = PACK[suffix](TEXT.encode())
    path.write_bytes(packed)
    assert rows(path) == ROWS
    assert load_ratings(path).sha256 == load_ratings(tmp_path / "plain.csv").sha256
    path.write_bytes(packed[:-9])
    with pytest.raises(DataError, match=r"^r\.csv.*cannot be unpacked"):
        load_ratings(path)


def test_a_zip_archive_is_read_as_a_file_or_as_a_folder(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "one.zip", "w") as archive:
        archive.writestr("deep/r.csv", TEXT)
        archive.writestr("__MACOSX/._r.csv", "x")
    with zipfile.ZipFile(tmp_path / "ml.zip", "w") as archive:
        archive.writestr("ml/ratings.csv", TEXT.replace("user_id,movie_id", "userId,movieId"))
        archive.writestr("ml/movies.csv", "movieId,title,genres\n10,Ten,a|b\n20,Twenty,c\n")
        archive.writestr("ml/README.txt", "some words\n")
    assert rows(tmp_path / "one.zip") == ROWS
    data = load_ratings(tmp_path / "ml.zip")
    assert data.ratings.to_numpy().tolist() == ROWS
    assert data.movies is not None
    assert data.movies["title"].tolist() == ["Ten", "Twenty"]
    (tmp_path / "one.zip").write_bytes((tmp_path / "ml.zip").read_bytes()[:99])
    with pytest.raises(DataError, match="cannot be read as a zip archive"):
        load_ratings(tmp_path / "one.zip")


@pytest.mark.parametrize("kind", ["csv", "parquet", "csv.gz", "jsonl"])
@pytest.mark.parametrize("deep", [False, True])
def test_a_folder_of_parts_is_one_table(tmp_path: Path, kind: str, deep: bool) -> None:
    frame = pd.DataFrame(ROWS, columns=["user_id", "movie_id", "rating"]).astype({"user_id": int, "movie_id": int})
    (tmp_path / "_SUCCESS").touch()
    for number, part in enumerate((frame[:2], frame[2:])):
        folder = tmp_path / f"day={number}" if deep else tmp_path
        folder.mkdir(exist_ok=True)
        path = folder / f"part-0000{number}.{kind}"
        if kind == "parquet":
            part.to_parquet(path)
        elif kind == "jsonl":
            part.to_json(path, orient="records", lines=True)
        else:
            part.to_csv(path, index=False)
    data = load_ratings(tmp_path)
    assert data.ratings.to_numpy().tolist() == ROWS
    assert data.reading.lines[0].endswith("2 parts")
    assert data.locate(2).startswith("part-00001")


def test_parts_of_unlike_columns_and_files_of_unlike_kinds_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(TEXT)
    (tmp_path / "b.csv").write_text("user_id,movie_id\n1,2\n")
    with pytest.raises(DataError, match=r"^b\.csv: no column rating, which a\.csv has"):
        load_ratings(tmp_path)
    (tmp_path / "c.jsonl").write_text("{}\n")
    with pytest.raises(DataError, match=r"which of its files are the ratings\? Found a\.csv, b\.csv and c\.jsonl"):
        load_ratings(tmp_path)


@pytest.mark.parametrize("as_array", [False, True])
def test_json_lines_are_read_by_the_names_of_their_fields(tmp_path: Path, as_array: bool) -> None:
    objects = [{"userId": u, "rating": r, "item": {"10": "ten", "20": "two"}[str(m)]} for u, m, r in ROWS]
    text = json.dumps(objects) if as_array else "\n".join(map(json.dumps, objects)) + "\n"
    (tmp_path / "r.jsonl").write_text(text)
    data = load_ratings(tmp_path / "r.jsonl")
    assert data.ratings["movie_id"].tolist() == ["ten", "two", "two"]
    assert data.ratings["user_id"].tolist() == [1, 2, 1]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"user_id": 1, "movie_id": 2', "r.jsonl:3: not JSON"),
        ("[1, 2]", "r.jsonl:3: got list; allowed is an object"),
        ('{"user_id": 1, "rating": 2}', "r.jsonl:3: movie_id is missing"),
        ('{"user_id": 1, "movie_id": 2, "rating": null}', "r.jsonl:3: rating is missing"),
        ('{"user_id": 1, "movie_id": [2], "rating": 1}', "r.jsonl: movie_id holds values of these types: int, list"),
        ('{"user_id": 1.5, "movie_id": 2, "rating": 1}', "r.jsonl:3: user_id 1.5 is no id"),
    ],
)
def test_a_faulty_line_of_json_is_told(tmp_path: Path, line: str, message: str) -> None:
    good = '{"user_id": 1, "movie_id": 2, "rating": 3}\n'
    (tmp_path / "r.jsonl").write_text(f"{good}\n{line}\n{good.replace('3', '4')}")
    with pytest.raises(DataError) as error:
        load_ratings(tmp_path / "r.jsonl")
    assert str(error.value).startswith(message)


def test_netflix_files_are_read_with_their_titles(tmp_path: Path) -> None:
    (tmp_path / "combined_data_1.txt").write_text("1:\n7,3,2005-09-06\n8,5,2005-05-13\n2:\n7,4,2005-10-19\n")
    (tmp_path / "combined_data_2.txt").write_text("30:\r\n9,1,2004-01-01\r\n")
    (tmp_path / "movie_titles.csv").write_bytes("1,2003,Dinosaur Planet\n2,NULL,Amélie, Café\n".encode("latin-1"))
    data = load_ratings(tmp_path)
    columns = ["user_id", "movie_id", "rating"]
    assert data.ratings[columns].to_numpy().tolist() == [[7, 1, 3], [8, 1, 5], [7, 2, 4], [9, 30, 1]]
    assert [data.locate(row) for row in (1, 2, 3)] == [
        "combined_data_1.txt:3", "combined_data_1.txt:5", "combined_data_2.txt:2"
    ]  # fmt: skip
    assert data.movies is not None
    assert data.movies["title"].tolist() == ["Dinosaur Planet", "Amélie, Café"]
    assert rows(tmp_path / "combined_data_1.txt") == [[7, 1, 3], [8, 1, 5], [7, 2, 4]]


def test_bad_lines_are_left_out_up_to_the_number_that_was_said_and_shown(tmp_path: Path) -> None:
    lines = ["1,10,3", "oops", "2,20,4.5", "3,30", ",40,5", "5,50,x", "1,20,2"]
    (tmp_path / "r.csv").write_text("user_id,movie_id,rating\n" + "\n".join(lines) + "\n")
    data = load_ratings(tmp_path / "r.csv", ReadingRules(skip_bad_lines=4))
    assert data.ratings.to_numpy().tolist() == ROWS
    assert [data.locate(row) for row in range(3)] == ["r.csv:2", "r.csv:4", "r.csv:8"]
    [warning] = data.reading.warnings
    assert warning.startswith(
        "4 bad lines left out: r.csv:3: 1 fields; allowed are 3: user_id,movie_id,rating; r.csv:5"
    )
    assert any("4 rows left out" in line for line in data.reading.lines)
    with pytest.raises(DataError, match=r"bad lines, --skip-bad-lines allows 3"):
        load_ratings(tmp_path / "r.csv", ReadingRules(skip_bad_lines=3))
