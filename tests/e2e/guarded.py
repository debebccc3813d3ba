"""A separate server that requires tokens, and requests with a token."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx

from ops import auth
from ops.process import server
from tests.e2e import plain_http
from tests.e2e.conftest import end
from tests.e2e.project import Project, copy_project

PAIR = {"user_id": 1, "movie_id": 2}


@contextmanager
def guarding(project: Project, folder: Path, changes: Mapping[str, str] | None = None) -> Iterator[Project]:
    """A copy of the project in this folder, with the same archives, served until the end of the block.

    `changes`: replacements in its config.properties.
    """
    copy = copy_project(folder)
    text = copy.settings.config.read_text()
    for old, new in (changes or {}).items():
        assert old in text, old
        text = text.replace(old, new)
    copy.settings.config.write_text(text)
    shutil.copytree(project.folder / "model-store", copy.folder / "model-store")
    (copy.folder / "build").symlink_to(project.folder / "build")
    auth.choose(copy.settings, "on")
    try:
        server.start(copy.settings)
        server.wait_until_ready(copy.settings)
        yield copy
    finally:
        end(copy)


def request(method: str, url: str, token: str | None, **options: object) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return plain_http.request(method, url, headers=headers, **options)  # type: ignore[arg-type]


def is_refused(response: httpx.Response) -> bool:
    return response.status_code == 400 and response.json()["type"] == "InvalidKeyException"
