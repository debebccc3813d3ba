"""The description of a machine, also of one that lacks git and some packages."""

from pathlib import Path

import pytest

from bench import machine
from bench.machine import describe_machine, machine_line


def test_machine_without_git_names_the_commit_that_its_copy_tells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(machine, "ROOT", tmp_path)
    assert describe_machine()["commit"] == "unknown"
    (tmp_path / "COMMIT").write_text("abc1234\n")
    assert "; commit abc1234; " in machine_line(describe_machine())


def test_package_that_is_not_installed_has_no_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_PACKAGES", ("numpy", "no-such-package"))
    assert sorted(describe_machine()["versions"]) == ["numpy", "python"]
