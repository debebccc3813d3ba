"""Folders and zip archives: the ratings are found, and parts are joined to one table."""

import zipfile
from pathlib import Path

import pandas as pd
import pytest

from train.readers import DataError, ReadingRules, load_ratings

ROWS = [[1, 10, 3.0], [2, 20, 4.5], [1, 20, 2.0]]
TEXT = "user_id,movie_id,rating\n1,10,3\n2,20,4.5\n1,20,2\n"


def rows(path: Path, rules: ReadingRules | None = None) -> list[list[float]]:
    found: list[list[float]] = load_ratings(path, rules or ReadingRules()).ratings.to_numpy().tolist()
    return found


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


def test_a_pattern_chooses_the_parts(tmp_path: Path) -> None:
    frame = pd.DataFrame(ROWS, columns=["user_id", "movie_id", "rating"]).astype({"user_id": int, "movie_id": int})
    for name, part in (("2026-01.csv", frame[:2]), ("2026-02.csv", frame[2:]), ("2025-12.csv", frame)):
        part.to_csv(tmp_path / name, index=False)
    data = load_ratings(tmp_path / "2026-*.csv")
    assert data.ratings.to_numpy().tolist() == ROWS
    assert data.locate(2).startswith("2026-02.csv")
    with pytest.raises(DataError, match=r"2027-\*\.csv: matches no file of data; allowed are names ending in "):
        load_ratings(tmp_path / "2027-*.csv")


def test_parts_with_different_columns_or_formats_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(TEXT)
    (tmp_path / "b.csv").write_text("user_id,movie_id\n1,2\n")
    with pytest.raises(DataError, match=r"^b\.csv: no column rating, which a\.csv has"):
        load_ratings(tmp_path)
    (tmp_path / "c.jsonl").write_text("{}\n")
    with pytest.raises(DataError, match=r"which of its files are the ratings\? Found a\.csv, b\.csv and c\.jsonl"):
        load_ratings(tmp_path)
    for number in range(10, 20):
        (tmp_path / f"{number}.csv").write_text(TEXT)
    with pytest.raises(DataError, match=r"Found 10\.csv, 11\.csv, 12\.csv, 13\.csv, 14\.csv and 8 more; give the path"):
        load_ratings(tmp_path)


def test_parts_may_mix_number_types_and_have_a_readme(tmp_path: Path) -> None:
    (tmp_path / "README.txt").write_text("some words\n")
    frame = pd.DataFrame(ROWS, columns=["user_id", "movie_id", "rating"])
    frame[:2].astype({"user_id": "int32", "movie_id": "int32"}).to_parquet(tmp_path / "a.parquet")
    frame[2:].astype({"user_id": "int64", "rating": "int64"}).to_parquet(tmp_path / "b.parquet")
    assert rows(tmp_path) == ROWS


def test_parts_in_a_subfolder_are_left_out_with_a_warning(tmp_path: Path) -> None:
    (tmp_path / "part-0.csv").write_text(TEXT)
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "part-1.csv").write_text(TEXT)
    [warning] = load_ratings(tmp_path).reading.warnings
    assert f"1 file in subfolders left out, {tmp_path / 'more' / 'part-1.csv'} the first" in warning
