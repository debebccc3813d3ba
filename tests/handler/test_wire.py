"""The fast reader and writer do the same as TorchServe's own."""

import socket
import struct
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import cast

import pytest
import ts
from hypothesis import given
from hypothesis import strategies as st
from ts.context import Context, RequestProcessor
from ts.protocol import otf_message_handler
from ts.service import Service

from handler import wire
from handler.frames import Frame, FrameReader, write_frame
from handler.request import JSON_HEADERS, Request, Response
from handler.rows import lower_case_names, response_headers, to_request
from tests.handler.frames import Connection, Sent, frame_bytes, sized

TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
HEADERS = st.dictionaries(TEXT, TEXT, max_size=6)
PARAMETERS = st.lists(st.tuples(TEXT, TEXT, st.binary(max_size=300)), max_size=3)
FRAME = st.lists(st.tuples(TEXT, st.builds(Sent, PARAMETERS, HEADERS)), max_size=6)

SentFrame = list[tuple[str, Sent]]

# No headers, the same again, or more; no value, an empty one, several, two of a name; values like ends and like heads.
KINDS: SentFrame = [
    ("", Sent([], {})),
    ("a", Sent([], {"A": "b"})),
    ("b", Sent([("body", "application/json", b"")], {"A": "b"})),
    ("c", Sent([("body", "application/json", b'{"user_id": 1}')], {"A": "b"})),
    ("d", Sent([("body", "application/json", b"\xff" * 12)], {"A": "b", "é": ""})),
    ("e", Sent([("data", "", b"{}"), ("x-request-id", "", b"7"), ("data", "", sized(b"A") + sized(b"b"))], {})),
    ("f", Sent([("", "", b"\xff\xff\xff")], {})),
]


@contextmanager
def sent(data: bytes, pieces: int = 1) -> Iterator[socket.socket]:
    """A connection on which `data` arrives in so many pieces."""
    near, far = socket.socketpair()
    size = max(1, len(data) // pieces)

    def send() -> None:
        for start in range(0, len(data), size):
            far.sendall(data[start : start + size])

    sender = threading.Thread(target=send)
    sender.start()
    try:
        yield near
    finally:
        sender.join()
        near.close()
        far.close()


def read(reader: FrameReader, data: bytes, cuts: Iterable[int] = ()) -> list[tuple[str, Request]]:
    """Each request with its id, where the bytes arrive cut at these places."""
    frame = reader.read(cast(socket.socket, Connection(data, cuts)))
    return [(sized_id[4:].decode(), request) for sized_id, request in zip(*frame, strict=True)]


def original(data: bytes) -> list[tuple[str, Request]]:
    """The same by TorchServe's own reader."""
    batch = otf_message_handler._retrieve_inference_msg(Connection(data))
    _, rows, ids = Service.retrieve_data_for_inference(batch)
    headers = [
        lower_case_names((h["name"].decode(), h["value"].decode()) for h in request["headers"]) for request in batch
    ]
    return [(ids[place], to_request(row, headers[place])) for place, row in enumerate(rows)]


@pytest.fixture(autouse=True)
def raw_bodies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TS_DECODE_INPUT_REQUEST", "false")


@given(st.lists(FRAME, min_size=1, max_size=4), st.sets(st.integers(0, 2000), max_size=40))
def test_reader_reads_the_same_requests_as_torchserve(frames: list[SentFrame], cuts: set[int]) -> None:
    reader = FrameReader()  # one for all frames, so that remembered heads are tried too
    for frame in [*frames, *frames]:
        data = frame_bytes(frame)
        assert read(reader, data, {cut for cut in cuts if cut <= len(data)}) == original(data)


def test_frame_may_arrive_cut_at_any_byte() -> None:
    data = frame_bytes(KINDS)
    expected = original(data)
    knows_heads = FrameReader()
    assert read(knows_heads, data) == expected
    for cuts in [*([cut] for cut in range(len(data))), range(len(data))]:
        assert read(FrameReader(), data, cuts) == expected
        assert read(knows_heads, data, cuts) == expected


def test_frame_of_many_mebibytes_is_read_whole() -> None:
    body = bytes(range(256)) * 40_000
    frame = [(f"id-{n}", Sent([("body", "application/json", body[n:])], {"a": "b"})) for n in range(3)]
    with sent(frame_bytes(frame), pieces=1000) as connection:
        received = FrameReader().read(connection)
    assert [request.body for request in received.requests] == [body[n:] for n in range(3)]


def test_worker_ends_when_the_front_end_closes() -> None:
    data = frame_bytes(KINDS)
    for end in range(len(data)):
        with pytest.raises(SystemExit):
            read(FrameReader(), data[:end])


def test_bytes_after_a_frame_are_rejected() -> None:
    with pytest.raises(ValueError, match="3 bytes after a frame"):
        read(FrameReader(), frame_bytes(KINDS) + b"abc")


HEADERS_OF_RESPONSES = [
    JSON_HEADERS,
    {"content-type": "application/octet-stream", "Inference-Header-Content-Length": "7"},
]
RESPONSE = st.builds(
    Response, st.binary(max_size=300), st.sampled_from([200, 400, 404, 413]), st.sampled_from(HEADERS_OF_RESPONSES)
)
REQUEST = st.builds(Request, st.none(), has_headers=st.booleans())
OWN_HEADERS = {"X-Model-Version": "1.0"}


@given(st.lists(st.tuples(TEXT, REQUEST, RESPONSE), min_size=1, max_size=6))
def test_writer_writes_the_same_bytes_as_torchserve(answered: list[tuple[str, Request, Response]]) -> None:
    context = Context("ncf", "", {}, 1, None, "0.12.0")
    context.request_processor = [RequestProcessor({}) for _ in answered]
    for place, (_, request, response) in enumerate(answered):
        context.set_response_status(response.status, "", place)
        for name, value in response_headers(request, response, OWN_HEADERS).items():
            context.set_response_header(place, name, value)
    ids = {place: request_id for place, (request_id, _, _) in enumerate(answered)}
    bodies = [response.body for *_, response in answered]
    expected = otf_message_handler.create_predict_response(bodies, ids, "Prediction success", 200, context=context)
    frame = Frame([sized(request_id.encode()) for request_id in ids.values()], [request for _, request, _ in answered])
    assert write_frame(frame, [response for *_, response in answered], OWN_HEADERS) == expected


class Echo:
    """Answers every request with its body; fails where a body says so."""

    headers: Mapping[str, str] = OWN_HEADERS

    def answer(self, requests: Sequence[Request]) -> list[Response]:
        if any(request.body == b"fail" for request in requests):
            raise RuntimeError("as asked")
        return [Response(request.body) for request in requests]


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Service:
    """A real Service, with the wire installed in this process until the test ends."""
    monkeypatch.setattr(Service, "predict", Service.predict)
    monkeypatch.setattr(otf_message_handler, "_retrieve_inference_msg", otf_message_handler._retrieve_inference_msg)
    assert wire.install(Echo())
    return Service("ncf", "", {}, lambda data, _: [b"slow" for _ in data], None, 1)


def exchange(service: Service, *bodies: bytes) -> bytes:
    frame = [(f"id-{n}", Sent([("body", "application/json", body)], {})) for n, body in enumerate(bodies)]
    with sent(b"I" + frame_bytes(frame)) as connection:
        command, batch = otf_message_handler.retrieve_msg(connection)
    assert command == b"I"
    return bytes(service.predict(batch))


def test_installed_wire_answers_a_frame(service: Service) -> None:
    answer = exchange(service, b"one", b"two")
    assert sized(b"id-0") in answer
    assert answer.index(sized(b"one")) < answer.index(sized(b"two"))


def test_failing_service_gives_503_and_the_worker_goes_on(service: Service) -> None:
    assert struct.unpack("!i", exchange(service, b"fail", b"ok")[:4]) == (503,)
    assert sized(b"ok") in exchange(service, b"ok")


def test_another_version_of_torchserve_keeps_its_own_reader(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    before = Service.predict
    monkeypatch.setattr(ts, "__version__", "0.13.0")
    assert not wire.install(Echo())
    assert Service.predict is before
    assert "this is 0.13.0: not used" in caplog.text
