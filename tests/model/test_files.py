from pathlib import Path

import pytest

from model.files import atomic_write


@pytest.mark.parametrize("durable", [False, True])
def test_a_finished_file_replaces_the_old_one(tmp_path: Path, durable: bool) -> None:
    target = tmp_path / "versions"
    target.write_text("old")
    with atomic_write(target, durable) as partial:
        partial.write_text("new")
        assert target.read_text() == "old"
    assert target.read_text() == "new"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_failed_write_keeps_only_the_old_file(tmp_path: Path, error: type[BaseException]) -> None:
    target = tmp_path / "versions"
    target.write_text("old")

    def fail() -> None:
        with atomic_write(target) as partial:
            partial.write_text("half")
            raise error

    with pytest.raises(error):
        fail()
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]
