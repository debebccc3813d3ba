"""A preparation that is spread over machines writes the folder that one process writes."""

from __future__ import annotations

import pickle
import re
import socket
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.train.prepared.folders import RULES, bytes_of, prepared, rows_of, same
from tests.train.readers.store import serve_store
from train.errors import DataError
from train.prepared.folder import PreparedFolder, is_prepared
from train.prepared.prepare import prepare
from train.readers import ReadingRules


def elsewhere(work: Any, pieces: Sequence[Any], name: Callable[[Any], str]) -> Iterator[Any]:
    """Does the pieces as other machines would: what they get and return is sent, and the last piece comes first."""
    assert all(name(piece) for piece in pieces)
    sent = [pickle.dumps((work, piece)) for piece in pieces]
    results = {}
    for place in reversed(range(len(sent))):
        own, piece = pickle.loads(sent[place])
        own(piece)
        results[place] = pickle.dumps(own(piece))  # a task that was lost runs twice
    return (pickle.loads(results[place]) for place in range(len(sent)))


@pytest.mark.parametrize("suffix", ["csv", "parquet", "jsonl"])
def test_other_machines_prepare_the_same_folder(frame: pd.DataFrame, tmp_path: Path, suffix: str) -> None:
    files = tmp_path / "files"
    files.mkdir()
    for number in range(5):
        some = frame[number::5].reset_index(drop=True)
        if suffix == "csv":
            some.to_csv(files / f"{number}.csv", index=False)
        elif suffix == "parquet":
            some.to_parquet(files / f"{number}.parquet", row_group_size=200)
        else:
            some.to_json(files / f"{number}.jsonl", orient="records", lines=True)
    pd.DataFrame({"movie_id": frame["movie_id"].unique(), "title": "A film"}).to_csv(tmp_path / "m.csv", index=False)
    rules = ReadingRules(movies=tmp_path / "m.csv")
    prepare(files, rules, None, tmp_path / "one", show=False)
    prepare(files, rules, None, tmp_path / "two", show=False, launch=elsewhere)
    assert bytes_of(tmp_path / "one") == bytes_of(tmp_path / "two")


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_other_machines_read_the_blocks_of_a_file(frame: pd.DataFrame, tmp_path: Path, suffix: str) -> None:
    many = pd.concat([frame] * 8, ignore_index=True)
    if suffix == "csv":
        many.to_csv(tmp_path / "r.csv", index=False)
    else:
        many.to_json(tmp_path / "r.jsonl", orient="records", lines=True)
    prepare(tmp_path / f"r.{suffix}", RULES, None, tmp_path / "one", show=False)
    prepare(tmp_path / f"r.{suffix}", RULES, None, tmp_path / "two", show=False, launch=elsewhere, block_bytes=50_000)
    assert bytes_of(tmp_path / "one") == bytes_of(tmp_path / "two")


@pytest.mark.parametrize("name", ["files", "files/*.csv.gz", "fi*/*.csv.gz"])
def test_files_in_a_store_are_read_by_the_machine_that_prepares_them(
    frame: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    files = tmp_path / "bucket" / "files"
    files.mkdir(parents=True)
    for number, times in enumerate((20, 1, 20)):  # the first and the last file have several blocks
        pd.concat([frame[number::3]] * times).to_csv(files / f"{number}.csv.gz", index=False)
    (files / "deeper").mkdir()
    (files / "deeper" / "3.csv.gz").write_bytes(b"")  # of a folder that no pattern here matches
    with serve_store(tmp_path) as host:
        address = f"s3://bucket/{name}?region=us-east-1&scheme=http&endpoint_override={host}"
        prepare(address, RULES, None, tmp_path / "one", show=False, launch=elsewhere, block_bytes=10_000)
    folder, rows = prepared(files, tmp_path / "two")
    assert same(rows_of(PreparedFolder(tmp_path / "one")), rows)
    assert folder.manifest.ratings == len(frame.drop_duplicates())


def test_a_pattern_in_a_store_finds_the_catalogue_beside_the_files_and_is_an_error_where_it_matches_nothing(
    frame: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    (tmp_path / "bucket" / "parts").mkdir(parents=True)
    for number in range(2):
        frame[number::2].to_parquet(tmp_path / "bucket" / "parts" / f"part-{number}.parquet")
    titles = pd.DataFrame({"movie_id": frame["movie_id"].unique(), "title": "A film"})
    titles.to_csv(tmp_path / "bucket" / "parts" / "movies.csv", index=False)
    with serve_store(tmp_path) as host:
        options = f"?region=us-east-1&scheme=http&endpoint_override={host}"
        folder, _ = prepared(f"s3://bucket/parts/*.parquet{options}", tmp_path / "out")
        with pytest.raises(DataError, match=r"^s3://bucket/parts/\*\.json: matches no file of data; allowed are names"):
            prepare(f"s3://bucket/parts/*.json{options}", RULES, None, tmp_path / "none", show=False)
    assert folder.manifest.ratings == len(frame.drop_duplicates())
    catalogue = folder.catalogue()
    assert catalogue is not None
    assert set(catalogue["title"]) == {"A film"}


def test_a_prepared_folder_in_a_store_is_read_like_a_local_one(
    frame: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    (tmp_path / "bucket").mkdir()
    frame[frame["user_id"] < 300].to_csv(tmp_path / "ratings.csv", index=False)
    _, rows = prepared(tmp_path / "ratings.csv", tmp_path / "bucket" / "prepared")
    with serve_store(tmp_path) as host:
        address = f"s3://bucket/prepared?region=us-east-1&scheme=http&endpoint_override={host}"
        assert is_prepared(address)
        assert same(rows_of(PreparedFolder(address)), rows)


def test_a_machine_that_does_not_see_a_file_says_so(frame: pd.DataFrame, tmp_path: Path) -> None:
    for number in range(2):
        frame[number::2].to_csv(tmp_path / f"{number}.csv", index=False)

    def without_the_last(work: Any, pieces: Sequence[Any], name: Callable[[Any], str]) -> Iterator[Any]:
        (tmp_path / "1.csv").unlink(missing_ok=True)
        return elsewhere(work, pieces, name)

    told = rf"1\.csv: {re.escape(socket.gethostname())} has no such file or folder: all machines need the ratings"
    with pytest.raises(DataError, match=told):
        prepare(f"{tmp_path}/*.csv", RULES, None, tmp_path / "out", show=False, launch=without_the_last)


def test_bad_lines_of_all_files_together_are_limited(frame: pd.DataFrame, tmp_path: Path) -> None:
    for number in range(3):
        frame[number::3].to_csv(tmp_path / f"{number}.csv", index=False)
        with (tmp_path / f"{number}.csv").open("a") as file:
            file.write("no-number,1,4.0,1500000000\n")
    told = r'^2\.csv:1002: user_id "no-number" .*; 3 bad lines so far, --skip-bad-lines allows 2'
    with pytest.raises(DataError, match=told):
        prepare(f"{tmp_path}/*.csv", ReadingRules(skip_bad_lines=2), None, tmp_path / "out", show=False)
    reading = prepare(f"{tmp_path}/*.csv", ReadingRules(skip_bad_lines=3), None, tmp_path / "out", show=False)
    assert sum("1 bad line left out" in one for one in reading.warnings) == 3
