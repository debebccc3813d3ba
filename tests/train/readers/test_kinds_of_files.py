"""Files that people really have: without a header, in other encodings, compressed, with bad lines."""

import bz2
import gzip
import lzma
from collections.abc import Callable
from pathlib import Path

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
            "r.txt: no header line, so columns are chosen by position, and the first row is user 1, movie 10 and "
            "rating 3: --user-column, --movie-column and --rating-column choose others, by number"
        )


@pytest.mark.parametrize("between", [" , ", " | ", " ; ", " :: "])
def test_blanks_around_names_do_not_count_as_delimiters(tmp_path: Path, between: str) -> None:
    lines = [("User ID", "Movie ID", "Rating"), *((f"{u:g}", f"{m:g}", f"{r:g}") for u, m, r in ROWS)]
    (tmp_path / "r.csv").write_text("".join(f" {between.join(line)} \n" for line in lines))
    assert rows(tmp_path / "r.csv") == ROWS


@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_columns_that_blanks_align_are_read(tmp_path: Path, header: bool, end: str) -> None:
    lines = [("user_id", "movie_id", "rating"), *((f"{u:g}", f"{m:g}", f"{r:g}") for u, m, r in ROWS)]
    text = "".join(f"{user:>8} {movie:>10}   {rating:<8}{end}" for user, movie, rating in lines[not header :])
    (tmp_path / "r.txt").write_bytes(text.encode())
    data = load_ratings(tmp_path / "r.txt")
    assert data.ratings.to_numpy().tolist() == ROWS
    assert data.locate(2) == f"r.txt:{3 + header}"


def test_text_with_runs_of_blanks_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("user_id,movie_id,rating\na  b,x  y,3\nc  d,x  y,4\n")
    assert rows(tmp_path / "r.csv") == [["a  b", "x  y", 3.0], ["c  d", "x  y", 4.0]]


@pytest.mark.parametrize("first", ["sep=;", '"sep=;"', "SEP=;", r"sep=\t"])
def test_excels_line_with_the_delimiter_is_read(tmp_path: Path, first: str) -> None:
    text = TEXT.replace(",", "\t" if first.endswith("t") else ";")
    (tmp_path / "r.csv").write_text(f"{first}\n{text}", newline="\r\n")
    data = load_ratings(tmp_path / "r.csv")
    assert data.ratings.to_numpy().tolist() == ROWS
    assert data.locate(0) == "r.csv:3"


def test_columns_are_chosen_by_number_without_a_header(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("5/1/2020,3,10,1\n5/2/2020,4.5,20,2\n5/3/2020,2,20,1\n")
    by_number = ReadingRules(header=False, user_column="4", movie_column="3", rating_column="2")
    assert rows(tmp_path / "r.csv", by_number) == ROWS
    with pytest.raises(
        DataError, match=r"^r\.csv: no column 5; found: column 1, column 2, column 3, column 4; --user-column names"
    ):
        load_ratings(tmp_path / "r.csv", ReadingRules(user_column="5"))


def test_a_first_line_of_strings_and_a_number_is_a_row(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("ann,matrix,3\nbob,alien,4\n")
    assert load_ratings(tmp_path / "r.csv").ratings["user_id"].tolist() == ["ann", "bob"]


def test_a_tab_may_be_written_as_its_escape(tmp_path: Path) -> None:
    (tmp_path / "r.txt").write_text(TEXT.replace(",", "\t"))
    assert rows(tmp_path / "r.txt", ReadingRules(delimiter=r"\t")) == ROWS


@pytest.mark.parametrize("encoding", ["cp949", "euc-kr", "latin-1", "cp1252", "utf-8-sig", "utf-16"])
def test_text_in_another_encoding_is_read_and_a_guess_is_reported(tmp_path: Path, encoding: str) -> None:
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


def test_given_encoding_is_used_or_refused_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_bytes("user_id,movie_id,rating\nа,x,1\nб,y,2\n".encode("cp1251"))
    data = load_ratings(tmp_path / "r.csv", ReadingRules(encoding="cp1251"))
    assert data.ratings["user_id"].tolist() == ["а", "б"]
    assert data.reading.warnings == []
    with pytest.raises(DataError, match=r"^r\.csv:2: byte 0xe0 is not text in utf-8; name an encoding other than"):
        load_ratings(tmp_path / "r.csv", ReadingRules(encoding="utf-8"))


PACK: dict[str, Callable[[bytes], bytes]] = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}


@pytest.mark.parametrize("suffix", PACK)
def test_compressed_file_is_read_and_a_broken_one_refused(tmp_path: Path, suffix: str) -> None:
    (tmp_path / "plain.csv").write_text(TEXT)
    path = tmp_path / f"r.csv{suffix}"
    packed = PACK[suffix](TEXT.encode())
    path.write_bytes(packed)
    assert rows(path) == ROWS
    assert load_ratings(path).sha256 == load_ratings(tmp_path / "plain.csv").sha256
    path.write_bytes(packed[:-9])
    with pytest.raises(DataError, match=r"^r\.csv.*cannot be unpacked"):
        load_ratings(path)


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


def test_bad_lines_up_to_the_limit_are_left_out_and_reported(tmp_path: Path) -> None:
    lines = ["1,10,3", "oops", "2,20,4.5", "3,30", ",40,5", "5,50,x", "1,20,2"]
    (tmp_path / "r.csv").write_text("user_id,movie_id,rating\n" + "\n".join(lines) + "\n")
    data = load_ratings(tmp_path / "r.csv", ReadingRules(skip_bad_lines=4))
    assert data.ratings.to_numpy().tolist() == ROWS
    assert [data.locate(row) for row in range(3)] == ["r.csv:2", "r.csv:4", "r.csv:8"]
    [warning] = data.reading.warnings
    assert warning.startswith("4 bad lines left out: r.csv:3: 1 field; allowed are 3: user_id,movie_id,rating; r.csv:5")
    assert any("4 rows left out" in line for line in data.reading.lines)
    with pytest.raises(DataError, match=r"bad lines, --skip-bad-lines allows 3"):
        load_ratings(tmp_path / "r.csv", ReadingRules(skip_bad_lines=3))


def test_given_column_names_help_to_find_the_delimiter(tmp_path: Path) -> None:
    lines = ["who\twhat\tstars, of five", *(f"u{n}\ta, b\t{n}" for n in range(5))]
    (tmp_path / "r.txt").write_text("\n".join(lines) + "\n")
    named = ReadingRules(user_column="who", movie_column="what", rating_column="stars, of five")
    assert load_ratings(tmp_path / "r.txt", named).ratings["movie_id"].tolist() == ["a, b"] * 5
