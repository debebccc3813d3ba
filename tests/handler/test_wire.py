"""The fast reader and writer are TorchServe's own, but for the time they take."""

import socket
import struct
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import pytest
import ts
from hypothesis import given, settings
from hypothesis import strategies as st
from ts.context import Context, RequestProcessor
from ts.protocol import otf_message_handler
from ts.service import Service

from handler import wire
from handler.request import JSON_HEADERS, Incoming, Reply

NAME = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)
HEADERS = st.dictionaries(NAME, st.text(st.characters(codec="utf-8"), max_size=20), max_size=6)
PARAMETERS = st.dictionaries(NAME, st.tuples(NAME, st.binary(max_size=300)), max_size=3)
REQUEST = st.tuples(st.text(st.characters(codec="utf-8"), max_size=40), HEADERS, PARAMETERS)
FRAME = st.lists(REQUEST, max_size=6)

Frame = list[tuple[str, dict[str, str], dict[str, tuple[str, bytes]]]]


def sized(data: bytes) -> bytes:
    return struct.pack("!i", len(data)) + data


def frame_bytes(frame: Frame) -> bytes:
    """A frame as the front end writes it, without the command byte."""
    end, out = struct.pack("!i", -1), b""
    for request_id, headers, parameters in frame:
        out += sized(request_id.encode())
        out += b"".join(sized(name.encode()) + sized(value.encode()) for name, value in headers.items()) + end
        for name, (content_type, value) in parameters.items():
            out += sized(name.encode()) + sized(content_type.encode()) + sized(value)
        out += end
    return out + end


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


def original(data: bytes) -> list[tuple[str, dict[str, str], dict[str, bytes]]]:
    """(id, headers, values) of each request, by TorchServe's own reader."""
    with sent(data) as connection:
        batch = otf_message_handler._retrieve_inference_msg(connection)
    _, rows, ids = Service.retrieve_data_for_inference(batch)
    headers = [{h["name"].decode().lower(): h["value"].decode() for h in request["headers"]} for request in batch]
    return [(ids[place], headers[place], row) for place, row in enumerate(rows)]


@pytest.fixture(autouse=True)
def raw_bodies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TS_DECODE_INPUT_REQUEST", "false")


@given(st.lists(FRAME, min_size=1, max_size=4), st.integers(1, 40))
@settings(deadline=None)
def test_the_reader_reads_what_torchserve_reads(frames: list[Frame], pieces: int) -> None:
    reader = wire.FrameReader()  # one for all frames, so that remembered headers are tried too
    for frame in [*frames, *frames]:
        data = frame_bytes(frame)
        with sent(data, pieces) as connection:
            read = reader.read(connection)
        found = [(one.request_id.decode(), one.headers, dict(one.row)) for one in read]
        assert found == original(data)


def test_a_frame_of_many_mebibytes_is_read_whole() -> None:
    body = bytes(range(256)) * 40_000
    frame: Frame = [(f"id-{n}", {"a": "b"}, {"body": ("application/json", body[n:])}) for n in range(3)]
    with sent(frame_bytes(frame), pieces=1000) as connection:
        read = wire.FrameReader().read(connection)
    assert [one.row["body"] for one in read] == [body[n:] for n in range(3)]


def test_a_front_end_that_goes_ends_the_worker() -> None:
    data = frame_bytes([("id", {"a": "b"}, {"body": ("x", b"y")})])
    for cut in (0, 3, len(data) // 2, len(data) - 1):
        near, far = socket.socketpair()
        far.sendall(data[:cut])
        far.close()
        with near, pytest.raises(SystemExit):
            wire.FrameReader().read(near)


REPLY = st.tuples(
    st.text(st.characters(codec="utf-8"), max_size=40),
    st.binary(max_size=300),
    st.sampled_from([200, 400, 404, 413]),
    st.sampled_from(
        [JSON_HEADERS, {"content-type": "application/octet-stream", "Inference-Header-Content-Length": "7"}]
    ),
)


OWN_HEADERS = {"X-Model-Version": "1.0"}


@given(st.lists(REPLY, min_size=1, max_size=6))
def test_the_writer_writes_what_torchserve_writes(replies: list[tuple[str, bytes, int, dict[str, str]]]) -> None:
    context = Context("ncf", "", {}, 1, None, "0.12.0")
    context.request_processor = [RequestProcessor({}) for _ in replies]
    for place, (_, _, status, headers) in enumerate(replies):
        context.set_response_status(status, "", place)
        for name, value in {**headers, **OWN_HEADERS}.items():
            context.set_response_header(place, name, value)
    ids = {place: request_id for place, (request_id, *_) in enumerate(replies)}
    bodies = [body for _, body, *_ in replies]
    expected = otf_message_handler.create_predict_response(bodies, ids, "Prediction success", 200, context=context)
    requests = [Incoming({}, {}, request_id.encode()) for request_id in ids.values()]
    written = wire.write_frame(requests, [Reply(*reply[1:]) for reply in replies], OWN_HEADERS)
    assert written == expected


class Echo:
    """Answers every request with its body; fails where a body says so."""

    headers: Mapping[str, str] = OWN_HEADERS

    def answer(self, incoming: Sequence[Incoming]) -> list[Reply]:
        if any(one.row["body"] == b"fail" for one in incoming):
            raise RuntimeError("as asked")
        return [Reply(one.row["body"]) for one in incoming]


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Service:
    """A real Service, with the wire installed in this process until the test ends."""
    monkeypatch.setattr(Service, "predict", Service.predict)
    monkeypatch.setattr(otf_message_handler, "_retrieve_inference_msg", otf_message_handler._retrieve_inference_msg)
    assert wire.install(Echo())
    return Service("ncf", "", {}, lambda data, _: [b"slow" for _ in data], None, 1)


def exchange(service: Service, *bodies: bytes) -> bytes:
    frame: Frame = [(f"id-{n}", {}, {"body": ("application/json", body)}) for n, body in enumerate(bodies)]
    with sent(b"I" + frame_bytes(frame)) as connection:
        command, batch = otf_message_handler.retrieve_msg(connection)
    assert command == b"I"
    return bytes(service.predict(batch))


def test_installed_it_serves_a_workers_whole_exchange(service: Service) -> None:
    answer = exchange(service, b"one", b"two")
    assert sized(b"id-0") in answer
    assert answer.index(sized(b"one")) < answer.index(sized(b"two"))


def test_a_handler_that_fails_gives_503_and_the_worker_goes_on(service: Service) -> None:
    assert struct.unpack("!i", exchange(service, b"fail", b"ok")[:4]) == (503,)
    assert sized(b"ok") in exchange(service, b"ok")


def test_another_torchserve_keeps_its_own_wire(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    before = Service.predict
    monkeypatch.setattr(ts, "__version__", "0.13.0")
    assert not wire.install(Echo())
    assert Service.predict is before
    assert "this is 0.13.0: not used" in caplog.text
