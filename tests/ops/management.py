"""A stand-in for TorchServe's management and inference addresses: real HTTP, versions in memory.

tests/e2e does the same with the real TorchServe. Here, tests can inject a fault at every request, hundreds of times.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from ops.client import Client
from ops.settings import ServerSettings

EXAMPLE = {"user_id": 1, "movie_ids": [1, 2, 3]}


class Management:
    """`versions` maps each registered version to its workers. The default or the named version gives each answer."""

    def __init__(self) -> None:
        self.versions = {"1.0": 1}
        self.default = "1.0"
        self.with_example = True

    def handle(self, method: str, path: str, query: str) -> tuple[int, Any]:
        """The status and the JSON of one request."""
        _, kind, *rest = path.split("/")
        version = rest[1] if len(rest) > 1 else None
        if kind == "predictions":
            return 200, {"rating": 1.0}
        if method == "POST":
            name = query.split("url=ncf-")[1].split(".mar")[0]
            self.versions[name] = 1
        elif method == "PUT":
            self.default = str(version)
        elif method == "DELETE":
            if self.versions.pop(str(version), None) is None:
                return 404, {"code": 404, "type": "X", "message": "none such"}
        elif version == "all":
            ordered = [self.default, *(name for name in self.versions if name != self.default)]
            return 200, [self._described(name) for name in ordered]
        else:
            name = version or self.default
            if name not in self.versions:
                return 404, {"code": 404, "type": "X", "message": "none such"}
            return 200, [self._described(name)]
        return 200, {"status": "ok"}

    def _described(self, version: str) -> dict[str, Any]:
        workers = [{"id": "9000", "pid": 4, "status": "READY"}] * self.versions[version]
        metadata = {"worker_pid": 4, **({"example": EXAMPLE} if self.with_example else {})}
        return {"modelVersion": version, "workers": workers, "customizedMetadata": metadata}


@contextmanager
def served(management: Management) -> Iterator[str]:
    """Yields the address."""

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            path, _, query = self.path.partition("?")
            status, value = management.handle(self.command, path, query)
            body = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            if path.startswith("/predictions"):
                parts = path.split("/")
                self.send_header("X-Model-Version", parts[3] if len(parts) > 3 else management.default)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def settings_for(folder: Path, address: str) -> ServerSettings:
    """Settings of a folder whose server is at this address."""
    return ServerSettings(folder / "config.properties", folder, address, address, folder / "model-store", (), {})


def client_for(folder: Path, address: str) -> Client:
    """A client of that server."""
    return Client(settings_for(folder, address), timeout_s=5)
