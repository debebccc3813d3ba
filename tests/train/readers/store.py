"""A stand-in for an object store: the part of S3's protocol that a reader of files needs, for a folder."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

_TIME = "2024-01-01T00:00:00.000Z"


@contextmanager
def serve_store(folder: Path) -> Iterator[str]:
    """host:port of a server whose buckets are the folders in `folder`."""

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.answer(body=False)

        def do_GET(self) -> None:
            self.answer(body=True)

        def answer(self, body: bool) -> None:
            parts = urlsplit(self.path)
            bucket, _, key = unquote(parts.path).strip("/").partition("/")
            path = folder / bucket / key
            if "Authorization" not in self.headers:
                self.reply(403, b"", body)
            elif not key:
                self.reply(200, listed(folder / bucket, parse_qs(parts.query, keep_blank_values=True)), body)
            elif path.is_file():
                self.reply(200, path.read_bytes(), body)
            else:
                self.reply(404, b"<Error><Code>NoSuchKey</Code></Error>", body)

        def reply(self, status: int, content: bytes, body: bool) -> None:
            first, last = 0, len(content) - 1
            if body and status == 200 and (wanted := self.headers.get("Range")):
                start, _, end = wanted.removeprefix("bytes=").partition("-")
                status, first, last = 206, int(start), min(int(end or last), last)
            self.send_response(status)
            self.send_header("Content-Length", str(last - first + 1))
            self.send_header("Last-Modified", "Mon, 01 Jan 2024 00:00:00 GMT")
            self.send_header("ETag", '"0"')
            self.end_headers()
            if body:
                self.wfile.write(content[first : last + 1])

        def log_message(self, *_: object) -> None:
            """Logs nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def listed(bucket: Path, query: dict[str, list[str]]) -> bytes:
    """The answer to ListObjectsV2."""
    prefix, delimiter = query.get("prefix", [""])[0], query.get("delimiter", [""])[0]
    found: dict[str, str] = {}
    for path in sorted(path for path in bucket.rglob("*") if path.is_file()):
        key = str(path.relative_to(bucket))
        if not key.startswith(prefix):
            continue
        before, mark, _ = key[len(prefix) :].partition(delimiter) if delimiter else (key, "", "")
        if mark:
            folder = escape(prefix + before + mark)
            found[folder] = f"<CommonPrefixes><Prefix>{folder}</Prefix></CommonPrefixes>"
        else:
            facts = f"<Size>{path.stat().st_size}</Size><LastModified>{_TIME}</LastModified>"
            found[key] = f"<Contents><Key>{escape(key)}</Key>{facts}</Contents>"
    number = f"<IsTruncated>false</IsTruncated><KeyCount>{len(found)}</KeyCount>"
    return f"<ListBucketResult>{number}{''.join(found.values())}</ListBucketResult>".encode()
