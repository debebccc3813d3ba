"""The ways to serve on a machine that is not known: TorchServe, or its workers alone where it does not start."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from pathlib import Path
from tempfile import mkdtemp
from typing import NamedTuple

from bench.gpu import workers
from bench.gpu.loads import Sender, find_sender
from bench.gpu.section import Row, left_out, passed
from bench.load import Load
from bench.servers import prepare, running
from bench.workloads import PATH
from ops.client import Client
from ops.process.state import ServerError
from ops.settings import ServerSettings
from ops.store.archives import start_archive

GPU, CPU = "GPU", "CPU"
# What a start can raise: a package, a program or a file is missing, or a process ended or gave no answer.
FAILURES = (ImportError, OSError, RuntimeError, ValueError)
_READY_TIMEOUT_S = 120.0
# A section that is late has a few seconds to end.
_STOP_S = 2.0

# Sends bodies over so many connections for so many seconds.
Send = Callable[[Sequence[bytes], int, int], Load]


class Kind(NamedTuple):
    """So many workers, with a GPU or without."""

    device: str
    number: int

    def __str__(self) -> str:
        return f"{self.number} {self.device} worker{'s' * (self.number > 1)}"


class Way(NamedTuple):
    """A way to serve: `start(artifact, folder, kind)` in a new folder, and what to know of its figures."""

    name: str
    start: Callable[[Path, Path, Kind], AbstractContextManager[Send]]
    note: str


class Ways:
    """The ways to serve, the best first. The first one that starts here serves all; those before it are left out."""

    def __init__(self, ways: Sequence[Way]) -> None:
        self._ways = list(ways)
        self._works = False

    @contextmanager
    def started(self, artifact: Path, folder: Path, kind: Kind) -> Iterator[tuple[list[Row], Send]]:
        """Starts workers of a kind, all of them ready: what to say of the way, the first time, and what sends.

        Raises:
            one of FAILURES: they cannot be started.
        """
        rows = []
        with ExitStack() as stopped_at_exit:
            while True:
                way = self._ways[0]
                try:
                    own = Path(mkdtemp(dir=folder)) / "server"
                    send = stopped_at_exit.enter_context(way.start(artifact, own, kind))
                    break
                except FAILURES as error:
                    if self._works or len(self._ways) == 1:
                        raise
                    rows.append(left_out(way.name, first_line(error)))
                    self._ways.pop(0)
            if not self._works:
                rows.append(passed(way.name, way.note))
            self._works = True
            yield rows, send


def find_ways() -> Ways:
    """The ways that this machine may have."""
    sender = find_sender()
    served = partial(by_torchserve, sender)
    frames = "Python sends its frames to its workers, without HTTP and the JVM"
    return Ways(
        [
            Way("served by TorchServe", served, f"{sender.name} sends"),
            Way("served by TorchServe's workers alone", by_frames, frames),
        ]
    )


@contextmanager
def by_torchserve(sender: Sender, artifact: Path, folder: Path, kind: Kind) -> Iterator[Send]:
    """TorchServe with this kind of workers."""
    settings = prepare({"1.0": artifact}, folder, kind.number, gpus=None if kind.device == GPU else 0)
    with running(settings, _STOP_S):
        _wait_for(settings, kind)
        yield partial(sender.send, settings.inference + PATH)


@contextmanager
def by_frames(artifact: Path, folder: Path, kind: Kind) -> Iterator[Send]:
    """The workers alone, to which this process sends frames."""
    archive = start_archive(prepare({"1.0": artifact}, folder).model_store)
    with workers.started(archive, folder, kind.number, 0 if kind.device == GPU else None) as ready:
        yield ready.send


def first_line(error: Exception) -> str:
    """What went wrong, in one line of a table."""
    return (str(error).splitlines() or [type(error).__name__])[0]


def _wait_for(settings: ServerSettings, kind: Kind) -> None:
    """Returns once all workers are ready.

    Raises:
        ServerError: they are not ready in time, or have another device.
    """
    deadline = time.monotonic() + _READY_TIMEOUT_S
    while True:
        found = Client(settings).workers()
        ready = [worker for worker in found if worker["status"] == "READY"]
        if len(ready) >= kind.number:
            break
        if time.monotonic() > deadline:
            raise ServerError(f"{len(ready)} of {kind.number} workers were ready after {_READY_TIMEOUT_S:.0f} s")
        time.sleep(0.1)
    if any(worker["gpu"] != (kind.device == GPU) for worker in ready):
        raise ServerError(f"TorchServe started other workers than {kind}: `nvidia-smi` tells it which GPUs there are")
