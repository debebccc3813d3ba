"""The server's addresses and its model store, from config.properties and the environment.

Every verb reads them here, so all verbs find the same server. The first of these sources that names an address counts:

1. `TS_INFERENCE_ADDRESS` and TorchServe's other variables in the environment;
2. `PORT` in the environment: inference at PORT, management at PORT+1, metrics at PORT+2, gRPC at PORT+3 and PORT+4;
3. the address at which this folder's server was started, as `.run/server.json` says; a start ignores it if
   config.properties was edited since;
4. config.properties.

`SERVER` in the environment chooses TorchServe or the ASGI server; without it, the notes on the running server do. The
ASGI server has only the inference address; it also lists the versions and the metrics there.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ops.properties import parse_properties

_NEEDED = ("inference_address", "management_address", "model_store")
_ADDRESSES = ("inference_address", "management_address", "metrics_address")
_GRPC_PORTS = ("grpc_inference_port", "grpc_management_port")
# Only for these names, the environment or the running server overrides the file.
ENDPOINTS = (*_ADDRESSES, *_GRPC_PORTS, "grpc_inference_address", "grpc_management_address")
# If a server listens at every address of the host, the verbs use this one.
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104  # nosec B104
PORT = "PORT"
SERVER = "SERVER"
TORCHSERVE, ASGI = "torchserve", "asgi"
TITLES = {TORCHSERVE: "TorchServe", ASGI: "the ASGI server"}


@dataclass(frozen=True)
class ServerSettings:
    """Addresses without a trailing slash; `folder` is the server's working directory."""

    config: Path
    folder: Path
    inference: str
    """The address for requests; 127.0.0.1 if the server listens at every address."""
    management: str
    model_store: Path
    listens: tuple[tuple[str, int], ...]
    """Every host and port that the server binds."""
    endpoints: Mapping[str, str]
    """The settings in `ENDPOINTS`, by name, as a start passes them to TorchServe."""
    metrics: str | None = None
    """The address for Prometheus; None if it is not set."""
    server: str = TORCHSERVE
    """TORCHSERVE or ASGI."""


def read_settings(
    config: Path, folder: Path, environment: Mapping[str, str] | None = None, starting: bool = False
) -> ServerSettings:
    """Reads a properties file; relative paths in it are relative to `folder`, as in TorchServe.

    environment: by default the environment of this process. starting: for a start, not to find the running server.

    Raises:
        ValueError: a required setting is missing, an address has no port, `PORT` is not a port, or `SERVER` is unknown.
    """
    environment = os.environ if environment is None else environment
    found = parse_properties(config.read_text(encoding="utf-8"))
    for name in _NEEDED:
        if name not in found:
            raise ValueError(f"{config}: {name} is not set")
    file = {name: found[name] for name in ENDPOINTS if name in found}
    server = _server(folder, environment)
    noted = _noted(folder, config if starting else None)
    endpoints = _endpoints(file, noted, environment)
    if server == ASGI:
        inference = endpoints["inference_address"]
        endpoints = {name: inference for name in _ADDRESSES if name in endpoints}
    metrics = endpoints.get("metrics_address")
    return ServerSettings(
        config,
        folder,
        _asked_at(endpoints["inference_address"]),
        _asked_at(endpoints["management_address"]),
        folder / found["model_store"],
        tuple(_listens(config, endpoints)),
        endpoints,
        _asked_at(metrics) if metrics is not None else None,
        server,
    )


def state_file(folder: Path) -> Path:
    """The file with the notes on the server that this folder started last; see ops/process/state.py."""
    return folder / ".run" / "server.json"


def stamp(path: Path) -> list[int] | None:
    """A file's size in bytes and modification time in ns, to detect changes; None if it does not exist."""
    return [path.stat().st_size, path.stat().st_mtime_ns] if path.exists() else None


def _server(folder: Path, environment: Mapping[str, str]) -> str:
    server = environment.get(SERVER) or _started_with(folder).get("server", TORCHSERVE)
    if server not in (TORCHSERVE, ASGI):
        raise ValueError(f"{SERVER}: got {server!r}, allowed: {TORCHSERVE}, {ASGI}")
    return str(server)


def _endpoints(file: Mapping[str, str], noted: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, str]:
    endpoints = dict(file)
    endpoints |= _moved(file, environment[PORT]) if environment.get(PORT) else noted
    for name in ENDPOINTS:
        own = environment.get(f"TS_{name.upper()}")
        if own:
            endpoints[name] = own
    return endpoints


def _moved(file: Mapping[str, str], wanted: str) -> dict[str, str]:
    """The file's addresses, moved to port `wanted` and the ports after it."""
    largest = 65535 - len(_ADDRESSES) - len(_GRPC_PORTS) + 1
    if not (wanted.isascii() and wanted.isdigit() and 0 < int(wanted) <= largest):
        raise ValueError(f"{PORT}: got {wanted!r}, allowed: an integer from 1 to {largest}")
    port = int(wanted)
    moved = {}
    for offset, name in enumerate(_ADDRESSES):
        if name in file:
            parts = urlsplit(file[name])
            moved[name] = f"{parts.scheme}://{_host(parts.hostname)}:{port + offset}"
    grpc = [name for name in _GRPC_PORTS if name in file]
    for offset, name in enumerate(grpc, start=len(_ADDRESSES)):
        moved[name] = str(port + offset)
    return moved


def _noted(folder: Path, unedited: Path | None) -> dict[str, str]:
    """The addresses at which this folder's server was started; empty without one, or if `unedited` changed since."""
    started = _started_with(folder)
    if not isinstance(started.get("endpoints"), dict):
        return {}
    if unedited is not None and started.get("file") != stamp(unedited):
        return {}
    return {name: str(started["endpoints"][name]) for name in ENDPOINTS if name in started["endpoints"]}


def _started_with(folder: Path) -> Mapping[str, Any]:
    """The settings with which this folder's server was started; empty without a server."""
    try:
        started = json.loads(state_file(folder).read_text(encoding="utf-8"))["started_with"]
    except (OSError, ValueError, LookupError, TypeError):
        return {}
    return started if isinstance(started, dict) else {}


def _asked_at(address: str) -> str:
    parts = urlsplit(address)
    host = _EVERYWHERE.get(parts.hostname or "")
    return f"{parts.scheme}://{host}:{parts.port}" if host else address.rstrip("/")


def _host(host: str | None) -> str:
    return f"[{host}]" if host and ":" in host else str(host)


def _listens(config: Path, endpoints: Mapping[str, str]) -> list[tuple[str, int]]:
    found = []
    for name in _ADDRESSES:
        if name in endpoints:
            found.append(_host_and_port(config, name, endpoints[name]))
    found = list(dict.fromkeys(found))
    for name in _GRPC_PORTS:
        if name in endpoints:
            host = endpoints.get(name.replace("port", "address"), "127.0.0.1")
            found.append((host, int(endpoints[name])))
    return found


def _host_and_port(config: Path, name: str, address: str) -> tuple[str, int]:
    parts = urlsplit(address)
    if parts.hostname is None or parts.port is None:
        raise ValueError(f"{config}: {name}: got {address}, expected http://HOST:PORT")
    return parts.hostname, parts.port
