"""Requests for tests: good ones, nearly good ones, and noise."""

from __future__ import annotations

import gzip
import json
import random
import struct
import zlib
from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import strategies as st

from handler.oip_codec import HEADER_LENGTH
from tests.handler.frames import Sent

Ids = Sequence[Any]

# What goes in wherever a value may stand. Text is written without \u escapes too, where it can be.
ODD: list[Any] = [
    *(None, True, False, 0, 1, 2, -1, 1.0, 0.5, 7, "7", "", "x", "é" * 70, "\x00\n", "\ud800", "𝄞", [], {}, [[]], [7]),
    *(2**31, 2**63 - 1, 2**63, 2**64 - 1, 2**64, -(2**63), -(2**63) - 1, 10**400, float("nan"), float("inf"), 1e308),
    *({"a": 1}, [None], ["x", 7], [["é" * 50]], "BYTES", "INT64", "rating", "user_id", "Drama", ["Drama"] * 9),
]
NAMES = [
    *("user_id", "movie_id", "movie_ids", "top_k", "exclude_seen", "genres", "exclude", "instances", "inputs"),
    *("outputs", "parameters", "name", "shape", "datatype", "data", "id", "binary_data_size", "binary_data", "é", ""),
]
LENGTHS = ["", "-1", "0", "5", "1" * 30, "0" * 5000, "+1", "１", "1e3", " 1", "None", "2147483648", "x" * 200]


def good(dice: random.Random, users: Ids, movies: Ids) -> dict[str, Any]:
    """A good body of any kind; some fields are null, some integers are strings, some ids stand there twice."""
    user, movie = _as_string(dice, dice.choice(users)), _as_string(dice, dice.choice(movies))
    some = [_as_string(dice, one) for one in dice.sample(movies, dice.randint(0, len(movies)))]
    if dice.random() < 0.1:
        some = some * 2
    kinds: list[Callable[[], dict[str, Any]]] = [
        lambda: {"user_id": user, "movie_id": movie},
        lambda: {"user_id": user, "movie_ids": some},
        lambda: {"user_id": user, "top_k": dice.randint(1, 9), "genres": dice.sample(["Crime", "Drama"], 1)},
        lambda: {"user_id": user, "top_k": 3, "exclude": some, "exclude_seen": dice.random() < 0.5},
        lambda: {"instances": [good(dice, users, movies) for _ in range(dice.randint(0, 3))]},
        lambda: {"instances": [{"user_id": user, "movie_id": one} for one in some]},
        lambda: columns(dice, users, movies)[0],
    ]
    body = dice.choice(kinds)()
    if dice.random() < 0.1:
        body[dice.choice(["top_k", "movie_ids", "exclude", "instances", "ids_as_strings", "parameters"])] = None
    if dice.random() < 0.1 and "inputs" not in body:
        body["ids_as_strings"] = dice.random() < 0.7
    return body


def _as_string(dice: random.Random, value: Any) -> Any:
    return str(value) if dice.random() < 0.1 else value


def columns(dice: random.Random, users: Ids, movies: Ids) -> tuple[dict[str, Any], bytes]:
    """A good body of tensors, and the raw bytes after it."""
    size, tail, inputs = dice.randint(0, 5), b"", []
    for name, ids in (("user_id", users), ("movie_id", movies)):
        values = [dice.choice(ids) for _ in range(size)]
        shape = dice.choice([[size], [size, 1]])
        datatype = "BYTES" if isinstance(ids[0], str) else "INT64"
        tensor: dict[str, Any] = {"name": name, "shape": shape, "datatype": datatype}
        if dice.random() < 0.5:
            tensor["data"] = [[value] for value in values] if len(shape) == 2 and dice.random() < 0.5 else values
        else:
            raw = raw_bytes(values)
            tensor["parameters"] = {"binary_data_size": len(raw)}
            tail += raw
        inputs.append(tensor)
    body: dict[str, Any] = {"inputs": inputs}
    if dice.random() < 0.5:
        names = dice.sample(["rating", "user_known", "movie_known"], dice.randint(0, 3))
        body |= {
            "id": "é7",
            "outputs": [{"name": n, "parameters": {"binary_data": dice.random() < 0.5}} for n in names],
        }
    return body, tail


def raw_bytes(values: Ids) -> bytes:
    """Values as the binary tensor data extension writes them."""
    encoded = [value.encode() if isinstance(value, str) else value for value in values]
    parts = [struct.pack("<I", len(v)) + v if isinstance(v, bytes) else struct.pack("<q", v) for v in encoded]
    return b"".join(parts)


def spoilt(dice: random.Random, value: Any) -> Any:
    """A copy with one thing changed somewhere inside."""
    if isinstance(value, dict) and value and dice.random() < 0.8:
        name = dice.choice([*value])
        change = dice.randrange(6)
        if change == 0:
            return {key: inner for key, inner in value.items() if key != name}
        if change == 1:
            return {**value, dice.choice(NAMES): dice.choice(ODD)}
        return {**value, name: spoilt(dice, value[name])}
    if isinstance(value, list) and value and dice.random() < 0.8:
        place = dice.randrange(len(value))
        change = dice.randrange(6)
        if change == 0:
            return value[:place] + value[place + 1 :]
        if change == 1:
            return value * dice.choice([2, 30])
        return [*value[:place], spoilt(dice, value[place]), *value[place + 1 :]]
    return [value] if dice.random() < 0.1 else dice.choice(ODD)


def written(dice: random.Random, value: Any) -> bytes:
    """The value as JSON text; now and then the text is damaged, or holds what JSON does not allow."""
    text = json.dumps(value, ensure_ascii=dice.random() < 0.5)
    if dice.random() < 0.05:
        deep = dice.choice([3, 9, 300, 2000])
        text = text.replace(":", ":" + "[" * deep, 1) + "]" * deep
    if dice.random() < 0.05:  # a name that stands there twice
        text = text.replace('"user_id":', f'"user_id": {json.dumps(dice.choice([7, "7", None]))}, "user_id":', 1)
    data = text.encode("utf-8", "surrogatepass")
    if dice.random() < 0.06:
        place = dice.randrange(len(data) + 1)
        data = data[:place] + dice.choice([b"", b"\xff", b'"', b"}", b",", b"\x00", b"9" * 5000]) + data[place + 1 :]
    return data


def requests(users: Ids, movies: Ids) -> st.SearchStrategy[Sent]:
    """Requests of every kind, with ids from these; the model should know most of them."""
    # Of integers hypothesis draws small ones most, the same again and again; eight bytes are always others.
    mutated = st.binary(min_size=8, max_size=8).map(lambda seed: _request(random.Random(seed), users, movies))
    values = st.recursive(
        st.sampled_from(ODD) | st.integers() | st.floats() | st.text(max_size=9), _nested, max_leaves=6
    )
    noise = st.binary(max_size=40) | values.map(lambda value: written(random.Random(0), value))
    sent = noise.map(lambda body: Sent([("body", "application/json", body)], _HTTP))
    return st.sampled_from([mutated] * 6 + [sent]).flatmap(lambda kind: kind)


_HTTP = {"Content-Type": "application/json", "explain": "False"}


def _nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4)


def _request(dice: random.Random, users: Ids, movies: Ids) -> Sent:
    value, tail, headers = good(dice, users, movies), b"", dict(_HTTP)
    if dice.random() < 0.3:
        value, tail = columns(dice, users, movies)
    for _ in range(dice.choice([0, 0, 0, 0, 1, 1, 2])):
        value = spoilt(dice, value)
    body = written(dice, value)
    if tail or dice.random() < 0.03:
        headers[dice.choice([HEADER_LENGTH, HEADER_LENGTH.lower()])] = str(len(body))
        body += tail if dice.random() < 0.9 else dice.choice([tail[1:], tail + b"\x00", b"", bytes(reversed(tail))])
    if dice.random() < 0.05:
        headers[dice.choice([HEADER_LENGTH, "describe", "Explain", "é", "ts_stream_next"])] = dice.choice(
            [*LENGTHS, "True", "true", "\x00"]
        )
    if dice.random() < 0.1:
        headers["explain"] = "True"
    if dice.random() < 0.15:
        headers["Content-Encoding"], body = encoded(dice, body)
    return _sent(dice, body, headers)


def zipped(plain: bytes) -> bytes:
    """gzip, the same at any time."""
    return gzip.compress(plain, mtime=0)


def encoded(dice: random.Random, body: bytes) -> tuple[str, bytes]:
    """A value of the header Content-Encoding, and the body in that encoding, or nearly so."""
    encodings: dict[str, Callable[[bytes], bytes]] = {
        "gzip": zipped,
        "X-GZip": lambda plain: zipped(plain[:9]) + zipped(plain[9:]),
        "deflate": zlib.compress,
        " Deflate ": lambda plain: zlib.compress(plain, wbits=-15),
        "identity": bytes,
        "br": bytes,
        "gzip, gzip": bytes,
        "\x00": bytes,
    }
    name = dice.choice([*encodings])
    change = dice.randrange(8)
    if change == 0:
        return name, body
    if change == 1:
        return name, encodings[name](body.ljust(dice.choice([5_999, 6_001, 10**6])))
    packed = encodings[name](body)
    return name, packed if change > 2 else dice.choice([packed[:-1], packed + b"\x00", packed[1:], packed * 20])


def _sent(dice: random.Random, body: bytes, headers: dict[str, str]) -> Sent:
    """The body where HTTP, gRPC or a form puts it."""
    way = dice.randrange(20)
    if way == 0:
        return Sent([(dice.choice(["data", "body"]), "", body)], {})
    if way == 1:
        return Sent([(dice.choice(["file", "é", "", "describe", HEADER_LENGTH]), "", body)], headers)
    if way == 2:
        return Sent([("a", "text/plain", body), ("b", "application/json", body)][: dice.randint(0, 2)], headers)
    return Sent([("body", dice.choice(["application/json", "text/plain", "", "é"]), body)], headers)
