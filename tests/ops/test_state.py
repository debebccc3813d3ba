"""The state file of a folder's server: valid, damaged or wrong; and the processes that it leads to."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ops.process import server, state
from ops.settings import ServerSettings, read_settings
from tests.ops.queries import ROOT
from tests.waiting import DEADLINE_S


@pytest.fixture
def settings(tmp_path: Path) -> ServerSettings:
    (tmp_path / ".run").mkdir()
    return replace(read_settings(ROOT / "config.properties", ROOT), folder=tmp_path)


@pytest.fixture
def front_end(settings: ServerSettings) -> Iterator[subprocess.Popen[bytes]]:
    """A process that looks like a front end; tests/e2e/test_one_server.py has a real one."""
    marks = {"TMPDIR": str(settings.folder / "scratch"), state.FOLDER: str(settings.folder.resolve())}
    command = [sys.executable, "-c", "print(flush=True); input()", "org.pytorch.serve.ModelServer"]
    with subprocess.Popen(command, env=marks, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()  # a process that has just started does not have its environment and command line yet
        yield process
        process.kill()


DAMAGED = ["", "{", "[]", "{}", '{"pid": 1}']


@pytest.mark.parametrize("text", DAMAGED)
def test_a_damaged_state_is_rebuilt_and_its_server_can_be_stopped(
    settings: ServerSettings, front_end: subprocess.Popen[bytes], capsys: pytest.CaptureFixture[str], text: str
) -> None:
    note = settings.folder / ".run" / "server.json"
    note.write_text(text)
    assert server.running(settings) == front_end.pid
    assert capsys.readouterr().err.startswith(f"{note}: ")
    assert json.loads(note.read_text())["scratch"] == str(settings.folder / "scratch")
    assert not server.is_current(settings, "1.0")  # the settings of its start are unknown
    assert server.stop(settings)
    front_end.wait(DEADLINE_S)  # raises if it still runs
    assert not note.exists()


@pytest.mark.parametrize("text", DAMAGED)
def test_a_damaged_state_without_a_server_is_removed(
    settings: ServerSettings, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    note = settings.folder / ".run" / "server.json"
    note.write_text(text)
    assert not server.stop(settings)
    assert f"{note}: " in capsys.readouterr().err
    assert not note.exists()
