"""A running warm process, and workers that it forks: each runs a script."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ops.frontend import warm, worker

PATH = f"{Path(sys.executable).parent}:{os.environ['PATH']}"


class Warm:
    """A running warm process, with `held` as its front end's descriptor. The workers run `script`."""

    def __init__(self, folder: Path, script: Path) -> None:
        self.script, self.address = script, str(folder / "warm.sock")
        end, self.held = os.pipe()
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
            listener.bind(self.address)
            listener.listen()
            descriptors = [end, listener.fileno()]
            command = [sys.executable, "-P", warm.__file__, *map(str, descriptors)]
            self.process = subprocess.Popen(command, pass_fds=descriptors)
        os.close(end)

    @contextmanager
    def worker(
        self, *arguments: str, python_path: str = "/some/archive"
    ) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
        """The program that TorchServe would run, and the report of its worker: the first line, as JSON."""
        environment = {
            **os.environ,
            worker.ADDRESS: self.address,
            "PYTHONPATH": python_path,
            "OWN": "ü",
            "PATH": PATH,
        }
        command = [str(worker.PROGRAM), str(self.script), *arguments]
        with subprocess.Popen(
            command, cwd="/", env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            try:
                yield process, json.loads(process.stdout.readline())
            finally:
                process.kill()

    def end(self) -> None:
        """Ends as the front end does."""
        os.close(self.held)
        self.process.wait(120)


def ask(process: subprocess.Popen[str], line: str) -> str:
    """The line that a worker answers a line with."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(line)
    process.stdin.flush()
    return process.stdout.readline()
