"""The systemd unit: systemd takes it, and what it starts is there."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.image import ROOT

UNIT = ROOT / "ops" / "systemd" / "ncf-serve.service"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze (Debian: systemd)")
@pytest.mark.parametrize("change", [("", ""), ("TimeoutStopSec=60", "TimeoutStopSex=60"), ("Type=exec", "Type=exek")])
def test_systemd_accepts_the_unit_and_finds_a_misspelt_option(tmp_path: Path, change: tuple[str, str]) -> None:
    folder = tmp_path / "srv"
    folder.mkdir()
    (folder / ".venv").symlink_to(Path(sys.executable).parent.parent)
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text().replace("/srv/ncf", str(folder)).replace(*change))
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True)
    found = [line for line in done.stderr.splitlines() if UNIT.name in line]
    assert bool(found) is (change[0] != ""), done.stderr


@pytest.mark.parametrize("setting", ["ExecStart", "ExecStartPost"])
def test_the_unit_starts_a_command_of_the_project(setting: str) -> None:
    [line] = [line for line in UNIT.read_text().splitlines() if line.startswith(f"{setting}=")]
    program, *arguments = line.split("=", 1)[1].split()
    assert program == "/srv/ncf/.venv/bin/python"
    done = subprocess.run([sys.executable, *arguments, "--help"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_failed_start_is_retried_without_end() -> None:
    """As where the model store is mounted late; systemd's own default gives up after five."""
    lines = UNIT.read_text().splitlines()
    assert {"Restart=always", "StartLimitIntervalSec=0"} <= set(lines)
