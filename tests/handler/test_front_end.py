"""Whether a front end has the plugin is read from its process: here one that is started alike and does nothing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from handler.front_end import PLUGIN, has_plugin

SERVER = "org.pytorch.serve.ModelServer"


def ask(folder: Path, *arguments: str) -> bool | None:
    command = [sys.executable, "-c", "print(flush=True); input()", *arguments]
    with subprocess.Popen(command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        process.stdout.readline()
        found = has_plugin(process.pid)
        process.stdin.write(b"\n")
    return found


@pytest.mark.parametrize("entry", ["plugins/*", "{folder}/plugins/*", f"plugins/{PLUGIN}"])
def test_plugin_on_the_class_path_is_found(tmp_path: Path, entry: str) -> None:
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / PLUGIN).touch()
    assert ask(tmp_path, "-cp", f"a.jar:{entry.format(folder=tmp_path)}", SERVER) is True


@pytest.mark.parametrize("entry", ["a.jar", "plugins/*", f"plugins/{PLUGIN}", ""])
def test_plugin_that_is_not_there_is_missed(tmp_path: Path, entry: str) -> None:
    assert ask(tmp_path, "-cp", entry, SERVER) is False


def test_other_processes_are_no_front_ends(tmp_path: Path) -> None:
    assert ask(tmp_path, "-cp", "a.jar") is None
    assert has_plugin(os.getpid()) is None
    assert has_plugin(2**30) is None
