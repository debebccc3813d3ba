"""A stand-in for Google Cloud Storage: the part of its JSON protocol that a reader of files needs, for a folder."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

_TIME = "2024-01-01T00:00:00Z"
_OBJECTS = ["storage", "v1", "b"]


@contextmanager
def serve_google_store(folder: Path) -> Iterator[str]:
    """host:port of a server whose buckets are the folders in `folder`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = parse_qs(parts.query, keep_blank_values=True)
            begin, bucket, names = self.place(parts.path)
            path = folder.joinpath(bucket, *names)
            if begin != _OBJECTS:
                self.reply(404, b"{}")
            elif not names:
                self.reply(200, json.dumps({"items": listed(folder / bucket, query)}).encode())
            elif not path.is_file():
                self.reply(404, json.dumps({"error": {"code": 404, "message": "No such object"}}).encode())
            elif query.get("alt") == ["media"]:
                self.reply(200, path.read_bytes())
            else:
                self.reply(200, json.dumps(described(folder / bucket, path)).encode())

        def place(self, path: str) -> tuple[list[str], str, list[str]]:
            """The beginning of a path, its bucket, and the name of its object, of `storage/v1/b/BUCKET/o/NAME`."""
            *parts, name = [unquote(one) for one in path.strip("/").split("/")]
            return (parts[:3], parts[3], [name]) if len(parts) == 5 else (parts[:3], "".join(parts[3:4]), [])

        def reply(self, status: int, content: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Logs nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def listed(bucket: Path, query: dict[str, list[str]]) -> list[dict[str, Any]]:
    """The objects whose names begin with the asked prefix."""
    [prefix] = query.get("prefix", [""])
    files = sorted(path for path in bucket.rglob("*") if path.is_file())
    return [described(bucket, path) for path in files if str(path.relative_to(bucket)).startswith(prefix)]


def described(bucket: Path, path: Path) -> dict[str, Any]:
    """An object without its content."""
    told = {"kind": "storage#object", "bucket": bucket.name, "generation": "1", "metageneration": "1"}
    size = str(path.stat().st_size)
    return {**told, "name": str(path.relative_to(bucket)), "size": size, "timeCreated": _TIME, "updated": _TIME}
