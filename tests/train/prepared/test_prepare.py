"""A prepared folder holds the same whatever the order of rows and files, and errors name file and line."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.train.prepared.folders import RULES, prepared, rows_of, same
from train.errors import DataError
from train.prepared.__main__ import main
from train.prepared.folder import is_prepared
from train.prepared.prepare import prepare
from train.readers import ReadingRules


def test_shuffled_and_recut_files_give_the_same_parts(frame: pd.DataFrame, tmp_path: Path) -> None:
    (tmp_path / "cut").mkdir()
    frame.to_csv(tmp_path / "ratings.csv", index=False)
    mixed = frame.sample(frac=1, random_state=1)
    mixed[:700].to_parquet(tmp_path / "cut" / "ratings.parquet", row_group_size=200)
    for number, begin in enumerate((700, 1_500)):
        end = (1_500, 3_000)[number]
        mixed[begin:end].to_parquet(tmp_path / "cut" / f"more-ratings-{number}.parquet")
    folder, rows = prepared(tmp_path / "ratings.csv", tmp_path / "one")
    _, others = prepared(f"{tmp_path}/cut/*.parquet", tmp_path / "two")
    assert same(rows, others)
    kept = frame.drop_duplicates()
    assert folder.manifest.ratings == len(kept) == sum(len(part.rating) for part in rows)
    found = pd.concat(
        pd.DataFrame({"user_id": part.users[part.owner], "rating": part.rating, "time": part.time}) for part in rows
    )
    expected = kept[["user_id", "rating", "time"]].astype({"rating": "float32", "time": "float64"})
    columns = ["user_id", "rating", "time"]
    left, right = (one.sort_values(columns).reset_index(drop=True) for one in (found, expected))
    pd.testing.assert_frame_equal(left, right)


def test_string_ids_are_prepared_like_integers(frame: pd.DataFrame, tmp_path: Path) -> None:
    named = frame.assign(user_id="u" + frame["user_id"].astype(str), movie_id="영화" + frame["movie_id"].astype(str))
    named.to_csv(tmp_path / "ratings.csv", index=False)
    _, rows = prepared(tmp_path / "ratings.csv", tmp_path / "out")
    users = np.concatenate([part.users for part in rows])
    assert set(users.tolist()) == {one.encode() for one in named["user_id"]}


def test_an_engine_may_write_unsorted_rows_in_several_files(frame: pd.DataFrame, tmp_path: Path) -> None:
    frame.to_csv(tmp_path / "ratings.csv", index=False)
    folder, rows = prepared(tmp_path / "ratings.csv", tmp_path / "out")
    for path in sorted((tmp_path / "out" / "ratings").glob("part=*/0.parquet")):
        part = pd.read_parquet(path, partitioning=None).sample(frac=1, random_state=0)
        part[: len(part) // 2].to_parquet(path)
        part[len(part) // 2 :].to_parquet(path.with_name("1.parquet"))
    assert same(rows, rows_of(folder))


@pytest.mark.parametrize(
    ("column", "value", "told"),
    [
        ("user_id", 10**9, "part=0: row 1 has a user_id of another part"),
        ("item_id", 5, "part=0: row 1 has an item_id that items.parquet lacks"),
        ("rating", 99.0, "part=0: row 1 has a rating outside 0.5 to 5"),
    ],
)
def test_a_damaged_part_is_named(frame: pd.DataFrame, tmp_path: Path, column: str, value: float, told: str) -> None:
    frame.to_csv(tmp_path / "ratings.csv", index=False)
    folder, _ = prepared(tmp_path / "ratings.csv", tmp_path / "out")
    path = tmp_path / "out" / "ratings" / "part=0" / "0.parquet"
    part = pd.read_parquet(path, partitioning=None)
    part.loc[part.index[0], column] = value
    part.to_parquet(path)
    with pytest.raises(DataError, match=told):
        rows_of(folder)


def test_an_error_in_a_later_file_names_its_line(frame: pd.DataFrame, tmp_path: Path) -> None:
    frame[:2_000].to_csv(tmp_path / "part-0.csv", index=False)
    lines = frame[2_000:].to_csv(index=False).splitlines()
    lines[41] = "somebody,3,4.0,1500000000"
    (tmp_path / "part-1.csv").write_text("\n".join(lines) + "\n")
    with pytest.raises(DataError, match=r'part-1.csv:42: user_id "somebody" is not an integer'):
        prepare(tmp_path, RULES, None, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["part-0.csv", "part-1.csv"]


def test_a_pattern_that_matches_nothing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="matches no file of data"):
        prepare(f"{tmp_path}/*.csv", RULES, None, tmp_path / "out")


def test_a_full_disk_is_said_in_one_line(
    frame: pd.DataFrame, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    frame.to_csv(tmp_path / "ratings.csv", index=False)
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        assert main(["--data", str(tmp_path / "ratings.csv"), "--out", str(disk / "out")]) == 2
        assert not is_prepared(disk / "out")
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)  # this process may still map a file of it
    said = capfd.readouterr().err
    assert said.splitlines()[-1].startswith("prepare: [Errno 28] No space left on device")
    assert "Traceback" not in said
    assert list(disk.iterdir()) == []


def test_parts_without_rows_are_passed_over(frame: pd.DataFrame, tmp_path: Path) -> None:
    frame[:0].to_csv(tmp_path / "part-0.csv", index=False)
    frame.to_csv(tmp_path / "part-1.csv", index=False)
    frame[:0].to_csv(tmp_path / "part-2.csv", index=False)
    folder, _ = prepared(f"{tmp_path}/part-*.csv", tmp_path / "out")
    assert folder.manifest.ratings == len(frame.drop_duplicates())


def test_the_catalogue_is_kept_if_the_first_file_has_no_rows(frame: pd.DataFrame, tmp_path: Path) -> None:
    columns = pa.Table.from_pandas(frame)
    pq.ParquetWriter(tmp_path / "part-0.parquet", columns.schema).close()
    frame.to_parquet(tmp_path / "part-1.parquet")
    pd.DataFrame({"movie_id": frame["movie_id"].unique(), "title": "A film"}).to_csv(
        tmp_path / "movies.csv", index=False
    )
    folder, _ = prepared(f"{tmp_path}/part-*.parquet", tmp_path / "out")
    catalogue = folder.catalogue()
    assert catalogue is not None
    assert set(catalogue["title"]) == {"A film"}


def test_files_without_any_rows_are_an_error(frame: pd.DataFrame, tmp_path: Path) -> None:
    for number in range(2):
        frame[:0].to_csv(tmp_path / f"part-{number}.csv", index=False)
    with pytest.raises(DataError, match="no ratings; the files end after their headers"):
        prepare(f"{tmp_path}/*.csv", RULES, None, tmp_path / "out")


@pytest.mark.parametrize(
    ("column", "values", "told"),
    [
        ("rating", None, "part=0: rating: is missing; found: user_id, item_id, time"),
        ("item_id", "null", "part=0: item_id: 1 row is null; allowed: a value in every row"),
        ("user_id", "float64", "part=0: user_id: got double, allowed: integers or strings"),
        ("time", "infinite", "part=0: time: a row is NaN or infinite; allowed: numbers of seconds since 1970"),
        ("time", "datetime64[s]", r"part=0: time: got timestamp\[.*\], allowed: numbers of seconds since 1970"),
    ],
)
def test_a_part_that_another_engine_wrote_wrongly_is_named(
    frame: pd.DataFrame, tmp_path: Path, column: str, values: str | None, told: str
) -> None:
    frame.to_csv(tmp_path / "ratings.csv", index=False)
    folder, _ = prepared(tmp_path / "ratings.csv", tmp_path / "out")
    path = tmp_path / "out" / "ratings" / "part=0" / "0.parquet"
    part = pd.read_parquet(path, partitioning=None)
    if values is None:
        part = part.drop(columns=column)
    elif values == "null":
        part[column] = part[column].astype("Int64").where(part.index > 0)
    elif values == "infinite":
        part[column] = part[column].where(part.index > 0, np.inf)
    else:
        part = part.astype({column: values})
    part.to_parquet(path)
    with pytest.raises(DataError, match=told):
        rows_of(folder)


def test_items_may_be_unsorted_and_a_part_without_users_may_lack_its_folder(
    frame: pd.DataFrame, tmp_path: Path
) -> None:
    frame[frame["user_id"] == frame["user_id"][0]].to_csv(tmp_path / "ratings.csv", index=False)
    folder, rows = prepared(tmp_path / "ratings.csv", tmp_path / "out")
    for part, found in enumerate(rows):
        if not len(found.users):
            shutil.rmtree(tmp_path / "out" / "ratings" / f"part={part}")
    path = tmp_path / "out" / "items.parquet"
    pd.read_parquet(path)[::-1].to_parquet(path)
    assert same(rows, rows_of(folder))


def test_warnings_of_all_files_and_the_first_rows_of_files_without_names_are_told(
    frame: pd.DataFrame, tmp_path: Path
) -> None:
    frame[:1_000].to_csv(tmp_path / "part-0.csv", index=False, header=False)
    frame[1_000:].assign(rating=lambda own: own["rating"].astype(str)).to_csv(
        tmp_path / "part-1.csv", index=False, header=False
    )
    with (tmp_path / "part-1.csv").open("a") as file:
        file.write("no-number,1,4.0,1500000000\n")
    reading = prepare(f"{tmp_path}/*.csv", ReadingRules(skip_bad_lines=1), None, tmp_path / "out")
    assert any("no header line, so columns are chosen by position" in one for one in reading.warnings)
    assert any("part-1.csv" in one for one in reading.warnings)
    assert any(one.startswith("columns: ") for one in reading.lines)
