"""With any content in an unused column, every row is read once and completely, or the file is refused."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from train.readers import DataError, load_ratings

NOTES = st.lists(st.text('"",x \n', max_size=6), min_size=4, max_size=12)
LINES = st.lists(st.text('"",x ', max_size=6), min_size=4, max_size=12)
SETTINGS = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
PLACES = st.integers(0, 3)


def rows(notes: list[str], place: int) -> list[list[str]]:
    table = [["user_id", "movie_id", "rating"], *([str(n), str(n + 70), str(n % 5 + 1)] for n in range(len(notes)))]
    for row, note in zip(table, ["note", *notes], strict=True):
        row.insert(place, note)
    return table


def check(path: Path, expected: int) -> None:
    try:
        found = load_ratings(path).ratings
    except DataError:
        return
    wanted = [[n, n + 70, n % 5 + 1] for n in range(expected)]
    assert found.to_numpy().tolist() == wanted


@SETTINGS
@given(notes=NOTES, place=PLACES)
@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC])
def test_output_of_a_csv_writer_is_read_unchanged(tmp_path: Path, quoting: int, notes: list[str], place: int) -> None:
    text = io.StringIO()
    csv.writer(text, quoting=quoting).writerows(rows(notes, place))  # type: ignore[arg-type]
    (tmp_path / "r.csv").write_text(text.getvalue(), newline="")
    check(tmp_path / "r.csv", len(notes))


@SETTINGS
@given(notes=LINES, place=PLACES)
def test_output_without_quoting_is_read_unchanged(tmp_path: Path, notes: list[str], place: int) -> None:
    (tmp_path / "r.tsv").write_text("".join("\t".join(row) + "\n" for row in rows(notes, place)))
    check(tmp_path / "r.tsv", len(notes))
