"""The model store: ncf.mar and the other files."""

from pathlib import Path

from model.archive import version_order
from ops.store.archives import start_archive, start_with


def test_promotion_leaves_only_archives_and_record(tmp_path: Path) -> None:
    for version in ("1.0", "1.1"):
        (tmp_path / f"ncf-{version}.mar").write_text(version)
    (tmp_path / ".ncf.mar.12345").write_text("of a process that was killed")
    for version in ("1.0", "1.0", "1.1", "1.1"):
        start_with(tmp_path, version)
        assert start_archive(tmp_path).samefile(tmp_path / f"ncf-{version}.mar")
        names = {path.name for path in tmp_path.iterdir()}
        assert names == {"ncf.mar", "ncf-1.0.mar", "ncf-1.1.mar", "versions", ".versions.lock"}


def test_versions_are_sorted_by_their_numbers() -> None:
    ordered = ["1.0", "1.2", "1.10", "2", "2-a", "10", "own-2", "own-10"]
    assert sorted({*ordered}, key=version_order) == ordered
