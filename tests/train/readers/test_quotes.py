"""No quote swallows rows: it encloses a field, is an ordinary character, or is an error with its line."""

from pathlib import Path

import pytest

from train.dataset.data import RatingsData
from train.readers import DataError, ReadingRules, load_ratings

HEADER = ["user_id", "movie_id", "rating", "note"]


def written(folder: Path, notes: list[str], delimiter: str = "\t", name: str = "r.tsv") -> Path:
    rows = [HEADER, *([str(n), str(n + 50), str(n % 5 + 1), note] for n, note in enumerate(notes))]
    (folder / name).write_text("".join(delimiter.join(row) + "\n" for row in rows))
    return folder / name


def users(data: RatingsData) -> list[int]:
    return [int(user) for user in data.ratings["user_id"]]


@pytest.mark.parametrize("delimiter", ["\t", ",", ";", "::"])
@pytest.mark.parametrize(("first", "second"), [('"Great film', '"Bad film'), ('"Great film', 'said "'), ('"', '"')])
def test_two_quotes_that_open_fields_swallow_no_rows(tmp_path: Path, delimiter: str, first: str, second: str) -> None:
    notes = ["good", "", first, "x", "y", "z", second, "", "ok", "fine"]
    data = load_ratings(written(tmp_path, notes, delimiter))
    assert users(data) == list(range(10))
    assert data.reading.warnings[0].startswith("r.tsv:4: a quote opens a field and does not close it")


def test_many_opening_quotes_swallow_no_rows(tmp_path: Path) -> None:
    notes = ['"odd' if n % 61 == 0 else "even" for n in range(5_000)]
    assert users(load_ratings(written(tmp_path, notes))) == list(range(5_000))


@pytest.mark.parametrize("notes", [['"one', "two"], ["one", 'said "', '"']])
def test_one_quote_that_is_never_closed_swallows_no_rows(tmp_path: Path, notes: list[str]) -> None:
    assert users(load_ratings(written(tmp_path, notes))) == list(range(len(notes)))


@pytest.mark.parametrize("note", ['"a\nb"', '"a, b\n1, 2, 3, 4\nc"', '"one\n\ntwo"', '"1,2,3\n4"'])
def test_a_note_of_several_lines_stays_one_field(tmp_path: Path, note: str) -> None:
    data = load_ratings(written(tmp_path, ["x", note, '"y, z"', "q"], ",", "r.csv"))
    assert users(data) == [0, 1, 2, 3]
    assert data.reading.warnings == []


@pytest.mark.parametrize("place", [0, 1, 2, 3])
def test_note_of_two_lines_is_one_field_in_any_column(tmp_path: Path, place: int) -> None:
    rows = [["user_id", "movie_id", "rating"], *([str(n), str(n + 50), str(n % 5 + 1)] for n in range(9))]
    for n, row in enumerate(rows):
        row.insert(place, '"good\nfilm"' if n % 3 == 2 else "note")
    (tmp_path / "r.csv").write_text("".join(",".join(row) + "\n" for row in rows))
    data = load_ratings(tmp_path / "r.csv")
    assert users(data) == list(range(9))
    assert data.reading.warnings == []


def test_swallowing_quotes_beside_needed_quotes_are_an_error(tmp_path: Path) -> None:
    path = written(tmp_path, ['"A, B"', '"Great film', "x", "y", '"Bad film'], ",", "r.csv")
    with pytest.raises(DataError, match=r"^r\.csv:3: a quote opens here and is closed in line 6, .*--quotes off"):
        load_ratings(path)


def test_option_decides_the_meaning_of_quotes(tmp_path: Path) -> None:
    path = written(tmp_path, ["x", '"a', "y", 'b"', "z"])
    assert users(load_ratings(path, ReadingRules(quotes="off"))) == [0, 1, 2, 3, 4]
    assert users(load_ratings(path, ReadingRules(quotes="on"))) == [0, 1, 4]


def test_line_with_too_few_fields_is_reported_despite_quotes(tmp_path: Path) -> None:
    path = written(tmp_path, ["x", '"a, b"', "y"], ",", "r.csv")
    path.write_text(path.read_text() + "9,9,9\n")
    with pytest.raises(DataError, match=r"^r\.csv:5: 3 fields; allowed are 4"):
        load_ratings(path)


def test_kmrd_titles_that_begin_with_a_quote_stay_separate(tmp_path: Path) -> None:
    titles = ['"별', "달", 'The "End"', '"해', "", "산"]
    (tmp_path / "rates.csv").write_text("user,movie,rate\n" + "".join(f"{n},{n},{n + 1}\n" for n in range(6)))
    rows = "".join(f"{n}\t{title}\t\t1999\t\n" for n, title in enumerate(titles))
    (tmp_path / "movies.txt").write_text("movie\ttitle\ttitle_eng\tyear\tgrade\n" + rows)
    movies = load_ratings(tmp_path).movies
    assert movies is not None
    assert movies["title"].tolist() == ['"별', "달", 'The "End"', '"해', None, "산"]


@pytest.mark.parametrize("place", [0, 2])
@pytest.mark.parametrize("odd", ['"Odd', '"Odd" title', '"'])
def test_quotes_swallow_no_rows_in_any_column(tmp_path: Path, place: int, odd: str) -> None:
    header, lines = ["user_id", "movie_id", "rating", "more"], []
    header.insert(place, "note")
    for n in range(100):
        row = [str(n), str(n % 9), str(n % 5 + 1), "y"]
        row.insert(place, odd if n % 25 == 0 else "x")
        lines.append("\t".join(row))
    (tmp_path / "r.tsv").write_text("\n".join(["\t".join(header), *lines]) + "\n")
    assert users(load_ratings(tmp_path / "r.tsv")) == list(range(100))


def test_two_unread_fields_that_begin_with_a_quote_swallow_no_fields(tmp_path: Path) -> None:
    rows = [f"{n}\t{n % 9}\t{n % 5 + 1}\t" + ('"Odd\t"Even' if n % 50 == 0 else "x\ty") for n in range(200)]
    (tmp_path / "r.tsv").write_text("\n".join(["user_id\tmovie_id\trating\ttitle\tnote", *rows]) + "\n")
    assert users(load_ratings(tmp_path / "r.tsv")) == list(range(200))


def test_a_title_that_begins_with_a_quoted_name_keeps_its_quotes(tmp_path: Path) -> None:
    (tmp_path / "ratings.csv").write_text("user_id,movie_id,rating\n1,1,2\n2,2,3\n3,1,1\n")
    (tmp_path / "movies.csv").write_text('movie_id,title\n1,"Weird Al" Yankovic\n2,Two\n')
    data = load_ratings(tmp_path)
    assert data.movies is not None
    assert data.movies["title"].tolist() == ['"Weird Al" Yankovic', "Two"]
    (tmp_path / "movies.csv").write_text('movie_id,title\n1,"Weird Al" Yankovic\n2,"Two, and more"\n')
    assert load_ratings(tmp_path).reading.warnings == [
        "movies.csv:2: text after a closing quote, so the quotes are left out: change this with --quotes"
    ]


def test_two_quotes_that_open_fields_far_apart_are_characters(tmp_path: Path) -> None:
    rows = [f"{n}\t{n % 50}\t{chr(34) + 'Best' if n in (5, 19_990) else 'a note'}\t{n % 5}" for n in range(20_000)]
    (tmp_path / "r.tsv").write_text("user_id\tmovie_id\tnote\trating\n" + "\n".join(rows) + "\n")
    data = load_ratings(tmp_path / "r.tsv")
    assert data.ratings["user_id"].tolist() == list(range(20_000))
    assert data.reading.warnings[0].startswith("r.tsv:7: a quote opens a field and does not close it")
