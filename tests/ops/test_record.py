"""The record of the versions that a restart loads."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ops.store.record import Record, change_record, read_record

ROOT = Path(__file__).parents[2]


def promote(store: Path, version: str) -> Record:
    return change_record(store, lambda record: record.with_promoted(version))


def test_an_empty_store_has_an_empty_record(tmp_path: Path) -> None:
    assert read_record(tmp_path) == Record()
    assert read_record(tmp_path).default is None
    assert read_record(tmp_path).previous is None


def test_rollbacks_go_back_one_by_one(tmp_path: Path) -> None:
    for version in ("1.0", "1.1", "1.1", "1.0", "2.0"):
        promote(tmp_path, version)
    seen = [read_record(tmp_path).default]
    while read_record(tmp_path).previous is not None:
        seen.append(change_record(tmp_path, Record.rolled_back).default)
    assert seen == ["2.0", "1.0", "1.1", "1.0"]
    assert [event.kind for event in read_record(tmp_path).events] == ["promoted"] * 4 + ["rolled-back"] * 3


def test_a_written_record_is_read_back(tmp_path: Path) -> None:
    change_record(tmp_path, lambda record: record.with_promoted("1.0").with_registered(["1.0", "1.1"]))
    record = promote(tmp_path, "1.1")
    assert read_record(tmp_path) == record
    assert record.registered == ("1.0", "1.1")


def test_record_without_a_default_has_none(tmp_path: Path) -> None:
    record = change_record(tmp_path, lambda record: record.with_registered(["1.1"]))
    assert read_record(tmp_path) == record
    assert record.default is None


def test_empty_record_has_no_file(tmp_path: Path) -> None:
    change_record(tmp_path, lambda record: record.with_promoted("1.0"))
    change_record(tmp_path, lambda _: Record())
    assert not (tmp_path / "versions").exists()


def test_replicas_that_share_a_store_record_a_change_once(tmp_path: Path) -> None:
    promote(tmp_path, "1.0")
    for _ in range(3):
        change_record(tmp_path, lambda record: record.with_replaced("1.0", "1.1"))
    assert read_record(tmp_path).defaults == ["1.0", "1.1"]
    for _ in range(3):
        change_record(tmp_path, lambda record: record.rolled_back_from("1.1"))
    assert read_record(tmp_path).defaults == ["1.0"]
    assert len(read_record(tmp_path).events) == 3


def test_rollback_works_from_a_default_set_without_the_verbs(tmp_path: Path) -> None:
    promote(tmp_path, "1.0")
    changed = change_record(tmp_path, lambda record: record.with_replaced("1.1", "2.0"))
    assert changed.defaults == ["1.0", "1.1", "2.0"]
    assert promote(tmp_path, "1.0").rolled_back_from("3.0").default == "1.0"


def test_simultaneous_changes_are_all_recorded(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: promote(tmp_path, f"1.{number}"), range(40)))
    assert len(read_record(tmp_path).events) == 40
    assert {path.name for path in tmp_path.iterdir()} == {"versions", ".versions.lock"}


@pytest.mark.parametrize("line", ["promoted 1.0", "demoted 1.0 2026-01-31T09:00:00Z", "default"])
def test_an_invalid_line_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "versions").write_text(f"default 1.0\n{line}\n")
    with pytest.raises(ValueError, match=r"versions:2: got .*, allowed: default V"):
        read_record(tmp_path)
