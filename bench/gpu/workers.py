"""TorchServe's workers without its front end: this process sends them the frames that the front end would send.

It is for machines where Java cannot run. A worker is TorchServe's own program, with the unpacked archive and a Unix
socket: all of the way of a request, except for HTTP, the queue and the JVM. A worker gets a frame of requests, and the
next one when it has answered, as under a load that never lets it wait.
"""

from __future__ import annotations

import os
import socket
import struct
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import yaml

from bench.gpu.loads import load_of
from bench.gpu.section import last_line
from bench.load import Load
from bench.machine import ROOT
from model.archive import NAME
from ops.frontend.command import server_jar

HEADERS: Mapping[str, str] = {"content-type": "application/json", "explain": "False"}
_INT = struct.Struct("!i")
_END = _INT.pack(-1)
_CHUNK_BYTES = 1 << 20
_START_TIMEOUT_S = 120.0
_STOP_TIMEOUT_S = 10.0


class Workers:
    """Connections to workers that have loaded the archive. batch: the most requests of a frame."""

    def __init__(self, connections: Sequence[socket.socket], batch: int) -> None:
        self._connections = connections
        self.batch = batch

    def send(self, bodies: Sequence[bytes], connections: int, seconds: int) -> Load:
        """A closed loop of `connections` clients, which are spread evenly over the workers.

        Of a worker's clients, no more than fit into a frame are under way; what the others wait is not measured.

        Raises:
            RuntimeError: a worker refused a request of its first frame.
            OSError: a worker ended.
        """
        rows = [_row(body) for body in bodies]
        shares = np.diff(np.linspace(0, connections, len(self._connections) + 1).round().astype(int)).tolist()
        started = time.monotonic()

        def ask(worker: socket.socket, share: int) -> list[tuple[int, float]]:
            size, turn, found = min(share, self.batch), 0, []
            while size and (began := time.monotonic()) < started + seconds:
                chosen = [rows[place % len(rows)] for place in range(turn, turn + size)]
                answer = exchange(worker, chosen)
                found.append((size, time.monotonic() - began))
                if not turn and (refused := [status for status in statuses(answer) if status != 200]):
                    raise RuntimeError(f"a worker refused {len(refused)} of {size} requests, status {refused[0]}")
                turn += size
            return found

        with ThreadPoolExecutor(len(shares)) as threads:
            spent = [one for found in threads.map(ask, self._connections, shares) for one in found]
        waited_s = np.repeat([waited for _, waited in spent], [size for size, _ in spent])
        return load_of(connections, np.full(len(waited_s), 200), waited_s, time.monotonic() - started)


@contextmanager
def started(archive: Path, folder: Path, number: int, gpu: int | None) -> Iterator[Workers]:
    """Starts so many workers of an archive in a new folder, on this GPU, or on the CPU if `gpu` is None.

    Raises:
        RuntimeError: a worker did not load the archive within two minutes; the message has the last line of its log.
    """
    unpacked = folder / "model"
    with zipfile.ZipFile(archive) as file:
        file.extractall(unpacked)
    config = yaml.safe_load((unpacked / "model-config.yaml").read_text(encoding="utf-8"))
    with ExitStack() as ended_at_exit:
        sockets = [folder / f".sock.{place}" for place in range(number)]
        logs = [folder / f"worker-{place}.log" for place in range(number)]
        for path, log in zip(sockets, logs, strict=True):
            ended_at_exit.enter_context(_process(unpacked, path, log))
        connections = []
        for path, log in zip(sockets, logs, strict=True):
            connection = ended_at_exit.enter_context(socket.socket(socket.AF_UNIX))
            _connect(connection, path, log)
            connection.sendall(_load_message(unpacked, config["batchSize"], gpu))
            connections.append(connection)
        for connection, log in zip(connections, logs, strict=True):
            if not _has_loaded(connection):
                raise RuntimeError(f"a worker did not load {archive.name}: {_said(log)}")
        yield Workers(connections, config["batchSize"])


def exchange(worker: socket.socket, rows: Sequence[bytes]) -> bytes:
    """Sends a frame of requests, and returns the frame of the answers."""
    worker.sendall(b"".join([b"I", *rows, _END]))
    return _read_answer(worker)


def statuses(answer: bytes) -> list[int]:
    """The status of each response in a frame of answers; handler/frames.py has the format."""
    at, found = _after_text(answer, _INT.size), []
    while answer[at : at + _INT.size] != _END:
        at = _after_text(answer, _after_text(answer, at))  # the id and the content type
        found.append(_INT.unpack_from(answer, at)[0])
        at = _after_text(answer, at + _INT.size)  # the phrase
        (headers,) = _INT.unpack_from(answer, at)
        at += _INT.size
        for _ in range(2 * headers + 1):  # names, values, and the body
            at = _after_text(answer, at)
    return found


@contextmanager
def _process(unpacked: Path, path: Path, log: Path) -> Iterator[None]:
    """A worker's process, with the arguments and the environment that the front end gives it."""
    program = server_jar().parents[1] / "model_service_worker.py"
    command = [sys.executable, str(program), "--sock-type", "unix", "--sock-name", str(path)]
    command += ["--metrics-config", str(ROOT / "handler" / "metrics.yaml")]
    environment = {**os.environ, "PYTHONPATH": str(unpacked), "TS_DECODE_INPUT_REQUEST": "false"}
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=unpacked, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _connect(connection: socket.socket, path: Path, log: Path) -> None:
    deadline = time.monotonic() + _START_TIMEOUT_S
    connection.settimeout(_START_TIMEOUT_S)
    while True:
        try:
            return connection.connect(str(path))
        except OSError as error:  # it does not listen yet
            if time.monotonic() > deadline:
                raise RuntimeError(f"a worker did not start: {_said(log)}") from error
        time.sleep(0.05)


def _load_message(unpacked: Path, batch: int, gpu: int | None) -> bytes:
    """What the front end says first: which archive the worker should load, and on which GPU."""
    handler = _text(str(unpacked / "ncf_handler.py"))
    device = _INT.pack(-1 if gpu is None else gpu)
    return b"".join(
        [b"L", _text(NAME), _text(str(unpacked)), _INT.pack(batch), handler, device, _text(""), struct.pack("!?", True)]
    )


def _has_loaded(worker: socket.socket) -> bool:
    """Whether the worker has loaded the archive; it may also end without a word."""
    try:
        return _INT.unpack(_read_answer(worker)[: _INT.size]) == (200,)
    except ConnectionError:
        return False


def _row(body: bytes) -> bytes:
    """One request of a frame; TorchServe's ids have 36 characters."""
    headers = b"".join(_text(name) + _text(value) for name, value in HEADERS.items())
    value = _text("body") + _text("application/json") + _INT.pack(len(body)) + body
    return _text("0" * 36) + headers + _END + value + _END


def _read_answer(worker: socket.socket) -> bytes:
    """A whole frame. Only its end has four bytes 0xff, which neither JSON nor a length contains.

    Raises:
        OSError: the worker ended, or it did not answer in time.
    """
    parts = []
    last = b""
    while not last.endswith(_END):
        part = worker.recv(_CHUNK_BYTES)
        if not part:
            raise ConnectionError("the worker has ended")
        parts.append(part)
        last = (last + part)[-_INT.size :]
    return b"".join(parts)


def _text(text: str) -> bytes:
    return _INT.pack(len(text)) + text.encode("ascii")


def _after_text(data: bytes, at: int) -> int:
    """Where a text ends that begins with its length."""
    return at + _INT.size + int(_INT.unpack_from(data, at)[0])


def _said(log: Path) -> str:
    """The last line that a worker wrote."""
    return last_line(log.read_text(encoding="utf-8", errors="replace"))
