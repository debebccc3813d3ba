"""The systemd units: systemd accepts them, and the commands that they start exist."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.image import ROOT

FOLDER = ROOT / "ops" / "systemd"
UNIT, REFRESH, TIMER = (FOLDER / name for name in ("ncf-serve.service", "ncf-refresh.service", "ncf-refresh.timer"))


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze (Debian: systemd)")
@pytest.mark.parametrize(
    ("unit", "change"),
    [
        (UNIT, ("", "")),
        (UNIT, ("TimeoutStopSec=60", "TimeoutStopSex=60")),
        (UNIT, ("Type=exec", "Type=exek")),
        (REFRESH, ("", "")),
        (REFRESH, ("TimeoutStartSec=4h", "TimeoutStartSec=4x")),
        (TIMER, ("", "")),
        (TIMER, ("OnCalendar=*-*-*", "OnCalendar=*-*-32")),
    ],
    ids=lambda value: value.name if isinstance(value, Path) else value[1],
)
def test_systemd_accepts_each_unit_and_finds_a_misspelt_option(
    tmp_path: Path, unit: Path, change: tuple[str, str]
) -> None:
    folder = tmp_path / "srv"
    folder.mkdir()
    (folder / ".venv").symlink_to(Path(sys.executable).parent.parent)
    for one in FOLDER.iterdir():  # a timer needs its service
        (tmp_path / one.name).write_text(one.read_text().replace("/srv/ncf", str(folder)))
    copy = tmp_path / unit.name
    copy.write_text(copy.read_text().replace(*change))
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", copy], capture_output=True, text=True)
    found = [line for line in done.stderr.splitlines() if unit.name in line]
    assert bool(found) is (change[0] != ""), done.stderr


@pytest.mark.parametrize(("unit", "setting"), [(UNIT, "ExecStart"), (UNIT, "ExecStartPost"), (REFRESH, "ExecStart")])
def test_the_unit_starts_a_command_of_the_project(unit: Path, setting: str) -> None:
    [line] = [line for line in unit.read_text().splitlines() if line.startswith(f"{setting}=")]
    program, *arguments = line.split("=", 1)[1].split()
    assert program == "/srv/ncf/.venv/bin/python"
    done = subprocess.run(
        [sys.executable, *(word for word in arguments if word != "$OPTIONS"), "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def test_a_failed_start_is_retried_without_end() -> None:
    """The model store may be mounted late; by default, systemd gives up after five failures."""
    lines = UNIT.read_text().splitlines()
    assert {"Restart=always", "StartLimitIntervalSec=0"} <= set(lines)
