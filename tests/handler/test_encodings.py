"""Compressed bodies are read, within the limit of a body; other compressions are refused."""

import json
import tracemalloc
import zlib
from collections.abc import Callable
from typing import Any

import pytest

from handler.oip_codec import HEADER_LENGTH
from tests.handler.bodies import raw_bytes, zipped
from tests.handler.columns import MOVIES, USERS, body, raw
from tests.handler.conftest import HTTP, Worker
from tests.handler.frames import Got

Make = Callable[..., Worker]
PAIR = {"user_id": 11_242, "movie_id": 10_253}
TEXT = json.dumps(PAIR).encode()


def ask(worker: Worker, sent: bytes, encoding: str, **headers: str) -> Got:
    [reply] = worker.replies({"body": sent}, headers={**HTTP, "Content-Encoding": encoding, **headers})
    return reply


@pytest.mark.parametrize(
    ("encoding", "sent"),
    [
        ("gzip", zipped(TEXT)),
        ("x-gzip", zipped(TEXT)),
        (" GZIP ", zipped(TEXT)),
        ("gzip", zipped(TEXT[:9]) + zipped(TEXT[9:])),
        ("deflate", zlib.compress(TEXT)),
        ("deflate", zlib.compress(TEXT, wbits=-15)),
        ("identity", TEXT),
        ("", TEXT),
    ],
)
def test_compressed_body_gets_the_same_answer_as_a_plain_one(worker: Make, encoding: str, sent: bytes) -> None:
    served = worker()
    [plain] = served.replies({"body": TEXT})
    got = ask(served, sent, encoding)
    assert (got.status, got.body) == (200, plain.body)


@pytest.mark.parametrize("compress", [zipped, zlib.compress])
def test_compressed_columns_may_hold_raw_bytes(worker: Make, compress: Callable[[bytes], bytes]) -> None:
    users, movies = raw_bytes(USERS), raw_bytes(MOVIES)
    text = json.dumps(body(raw("user_id", users), raw("movie_id", movies))).encode()
    encoding = "gzip" if compress is zipped else "deflate"
    got = ask(worker(), compress(text + users + movies), encoding, **{HEADER_LENGTH: str(len(text))})
    assert (got.status, got.json["outputs"][0]["shape"]) == (200, [3])


@pytest.mark.parametrize("encoding", ["br", "zstd", "compress", "gzip, gzip", "é", "\x00"])
def test_other_encoding_is_unsupported(worker: Make, encoding: str) -> None:
    got = ask(worker(), TEXT, encoding)
    assert (got.status, got.json["code"], got.json["type"]) == (415, 415, "UnsupportedMediaType")
    assert got.json["message"].endswith("allowed: gzip, deflate, identity; or send the body as it is")


@pytest.mark.parametrize(
    ("encoding", "sent", "message"),
    [
        ("gzip", TEXT, "body: not valid gzip, as the header Content-Encoding says"),
        ("deflate", TEXT, "body: not valid deflate, as the header Content-Encoding says"),
        ("gzip", zlib.compress(TEXT), "body: not valid gzip"),
        ("gzip", b"", "body: the gzip ends too early"),
        ("gzip", zipped(TEXT)[:-1], "body: the gzip ends too early"),
        ("deflate", zlib.compress(TEXT)[:-1], "body: the deflate ends too early"),
        ("gzip", zipped(TEXT) + b"x", "body: the gzip ends too early"),
        ("deflate", zlib.compress(TEXT) + b"ab", "body: 2 bytes after the end of the deflate"),
        ("gzip", zipped(b"{"), "body: not valid JSON"),
        ("gzip", zipped(b""), "body: empty"),
    ],
)
def test_broken_compression_is_told(worker: Make, encoding: str, sent: bytes, message: str) -> None:
    got = ask(worker(), sent, encoding)
    assert (got.status, got.json["message"][: len(message)]) == (400, message)


@pytest.mark.parametrize("inflated", [10_001, 10**9])
@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_body_is_inflated_only_up_to_the_limit(worker: Make, inflated: int, encoding: str) -> None:
    sent, most = bomb(inflated, 31 if encoding == "gzip" else 15), 10_000_000 if inflated > 10**6 else 10_000
    served = worker(max_body_bytes=most)
    tracemalloc.start()
    try:
        got = ask(served, sent, encoding)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 * most + 4 * len(sent) + 1_000_000
    assert got.status == 413
    assert got.json["message"].endswith(" are allowed")


def test_many_gzips_one_after_another_do_not_hold_up_the_worker(worker: Make) -> None:
    got = ask(worker(), zipped(b"") * 200_000, "gzip")
    assert got.status == 400
    assert got.json["message"].endswith("bytes after the end of the gzip")


def bomb(inflated: int, window: int) -> bytes:
    """So many blanks, compressed."""
    packer = zlib.compressobj(1, zlib.DEFLATED, window)
    parts = [packer.compress(b" " * min(2**24, inflated - at)) for at in range(0, inflated, 2**24)]
    return b"".join([*parts, packer.flush()])


def test_limit_is_that_of_a_plain_body(worker: Make) -> None:
    served = worker(max_body_bytes=10_000)
    assert ask(served, zipped(TEXT.ljust(10_000)), "gzip").status == 200
    assert ask(served, zipped(TEXT.ljust(10_001)), "gzip").status == 413


def test_body_that_the_server_has_parsed_cannot_be_compressed(worker: Make) -> None:
    parsed: dict[str, Any] = {"body": PAIR}
    [reply] = worker().replies(parsed, headers={**HTTP, "Content-Encoding": "gzip"})
    assert (reply.status, reply.json["message"]) == (
        400,
        "body: expected bytes under the header Content-Encoding: gzip",
    )
