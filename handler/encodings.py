"""Bodies that a client has compressed: the header Content-Encoding."""

from __future__ import annotations

import zlib

from handler.errors import RequestError, shown
from model.vocabulary import counted

CONTENT_ENCODING = "content-encoding"
_NAMES = {"gzip": "gzip", "x-gzip": "gzip", "deflate": "deflate"}
# How zlib is to read each: with gzip's header, with its own, or with none, as some clients send deflate.
_GZIP = 31
_ZLIB = 15
_RAW = -15
# A gzip file may consist of several, one after another. Each costs a start, however short it is.
_MOST_MEMBERS = 16


def inflate(body: object, encoding: str, most: int) -> bytes:
    """The body without the compression `gzip` or `deflate`; at most so many bytes.

    Raises:
        RequestError: the encoding is another one, the body does not have it, or it is too long.
    """
    name = _NAMES.get(encoding.strip().lower())
    if name is None:
        message = (
            f"Content-Encoding: got {shown(encoding)}, allowed: gzip, deflate, identity; or send the body as it is"
        )
        raise RequestError(message, code=415, kind="UnsupportedMediaType")
    if not isinstance(body, bytes | bytearray):
        raise RequestError(f"body: expected bytes under the header Content-Encoding: {name}")
    try:
        return _inflate(bytes(body), name, most)
    except zlib.error as error:
        raise RequestError(f"body: not valid {name}, as the header Content-Encoding says: {error}") from error


def is_plain(encoding: str) -> bool:
    """Whether this value of the header leaves the body as it is."""
    return encoding.strip().lower() in ("", "identity")


def _inflate(body: bytes, name: str, most: int) -> bytes:
    window = _GZIP if name == "gzip" else _ZLIB if _has_zlib_header(body) else _RAW
    found = b""
    for _ in range(_MOST_MEMBERS):
        reader = zlib.decompressobj(window)
        found += reader.decompress(body, most + 1 - len(found))
        if len(found) > most:
            message = f"body: more than {most} bytes when decompressed from {name}; at most {most} are allowed"
            raise RequestError(message, code=413, kind="TooLarge")
        if not reader.eof:
            raise RequestError(f"body: the {name} ends too early")
        body = reader.unused_data
        if not body:
            return found
        if name != "gzip":
            break
    raise RequestError(f"body: {counted(len(body), 'byte')} after the end of the {name}")


def _has_zlib_header(body: bytes) -> bool:
    """Whether the body begins as RFC 1950 says: the method is deflate, and the first two bytes divide by 31."""
    return len(body) > 1 and body[0] & 15 == zlib.DEFLATED and (body[0] << 8 | body[1]) % 31 == 0
