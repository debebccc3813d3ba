"""Ctrl-C in a waiting verb gives one line and status 130, but no traceback."""

import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.ops.queries import ROOT
from tests.waiting import DEADLINE_S, wait_until


@pytest.mark.parametrize(
    "command",
    ["ops.ready --wait-s 60", "ops.auth rotate", "ops.canary --version 1.1 --requests asks", "ops.canary.log log"],
)
def test_interrupted_verb_prints_one_line(tmp_path: Path, command: str) -> None:
    """Interrupts the verb while it waits: for the answer of a silent server, or for the end of a pipe."""
    module, *arguments = command.split()
    os.mkfifo(tmp_path / "log")
    (tmp_path / "asks").write_text("{}\n")
    (tmp_path / "key_file.json").write_text(json.dumps({kind: {"key": "k"} for kind in ("API", "inference")}))
    with ExitStack() as stack:
        silent = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        silent.settimeout(DEADLINE_S)
        text = (ROOT / "config.properties").read_text()
        for usual in ("8080", "8081"):
            text = text.replace(f":{usual}", f":{silent.getsockname()[1]}")
        (tmp_path / "config.properties").write_text(text)
        process = subprocess.Popen(
            ["env", "--default-signal=INT", sys.executable, "-m", module, *arguments],  # a background job ignores it
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stderr=subprocess.PIPE,
            text=True,
        )
        stack.callback(process.kill)
        if module == "ops.canary.log":
            stack.callback(os.close, open_pipe(tmp_path / "log"))
        else:
            stack.enter_context(silent.accept()[0])
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 130, said
    assert said.startswith(f"{module.rpartition('.')[2]}: interrupted")
    assert len(said.splitlines()) == 1


def open_pipe(path: Path) -> int:
    """Waits until another process reads it."""
    opened: list[int] = []

    def is_read() -> bool:
        try:
            opened.append(os.open(path, os.O_WRONLY | os.O_NONBLOCK))
        except OSError:
            return False
        return True

    wait_until(is_read, f"a reader of {path}")
    return opened[0]
