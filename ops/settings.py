"""TorchServe's config.properties, as far as its callers need it: where the server listens, where archives lie."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

_NEEDED = ("inference_address", "management_address", "model_store")


@dataclass(frozen=True)
class ServerSettings:
    """Addresses without a trailing slash; `folder` is the server's working directory."""

    config: Path
    folder: Path
    inference: str
    management: str
    model_store: Path
    listens: tuple[tuple[str, int], ...]
    """Every host and port that the server binds."""
    metrics: str | None = None
    """Where Prometheus reads; None where that is not set."""


def read_settings(config: Path, folder: Path) -> ServerSettings:
    """Reads a properties file; relative paths in it are relative to `folder`, as TorchServe has it.

    Raises:
        ValueError: a setting that is needed is missing, or an address has no port.
    """
    lines = (line.strip() for line in config.read_text(encoding="utf-8").splitlines())
    pairs = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    for name in _NEEDED:
        if name not in pairs:
            raise ValueError(f"{config}: {name} is not set")
    return ServerSettings(
        config,
        folder,
        pairs["inference_address"],
        pairs["management_address"],
        folder / pairs["model_store"],
        tuple(_listens(config, pairs)),
        pairs.get("metrics_address"),
    )


def _listens(config: Path, pairs: Mapping[str, str]) -> list[tuple[str, int]]:
    found = []
    for name, address in pairs.items():
        if name in ("inference_address", "management_address", "metrics_address"):
            parts = urlsplit(address)
            if parts.hostname is None or parts.port is None:
                raise ValueError(f"{config}: {name}: got {address}, expected http://HOST:PORT")
            found.append((parts.hostname, parts.port))
        elif name in ("grpc_inference_port", "grpc_management_port"):
            found.append((pairs.get(name.replace("port", "address"), "127.0.0.1"), int(address)))
    return found
