"""A supervisor, started as a user or a service manager starts it, and its output."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ops.process import server
from tests.e2e.conftest import end
from tests.e2e.project import Project, environment
from tests.waiting import DEADLINE_S, wait_until


class Supervised:
    """`python -m ops.process.supervise` of a project, with its output in a file."""

    def __init__(self, project: Project, lines: Path, *options: str) -> None:
        self.project = project
        self.lines = lines
        with lines.open("wb") as file:
            self.process = subprocess.Popen(
                [".venv/bin/python", "-m", "ops.process.supervise", *options],
                cwd=project.folder,
                env=environment(),
                stdout=file,
                stderr=subprocess.STDOUT,
            )

    @property
    def said(self) -> str:
        return self.lines.read_text()

    def wait_for(self, words: str, times: int = 1) -> None:
        """Returns once the output contains this text; fails if the supervisor ends before."""
        wait_until(
            lambda: self.said.count(words) >= times or self.process.poll() is not None, lambda: f"{words}: {self.said}"
        )
        assert self.said.count(words) >= times, self.said

    def front_end(self) -> int:
        pid = server.running(self.project.settings)
        assert pid is not None
        return pid

    def __enter__(self) -> Supervised:
        return self

    def __exit__(self, *_: object) -> None:
        """Ends both at once; test_image.py shows how a supervisor stops its server."""
        self.process.kill()
        self.process.wait(DEADLINE_S)
        end(self.project)


@contextmanager
def supervised(project: Project, folder: Path, *options: str) -> Iterator[Supervised]:
    """A supervisor whose server answers. Both are ended afterwards, even if the test fails."""
    with Supervised(project, folder / "supervisor.log", *options) as one:
        one.wait_for("answers at")
        yield one
