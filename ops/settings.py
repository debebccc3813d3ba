"""TorchServe's config.properties, as far as its callers need it: where the server listens, where archives lie."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ServerSettings:
    """Addresses without a trailing slash; `folder` is the server's working directory."""

    config: Path
    folder: Path
    inference: str
    management: str
    model_store: Path


def read_settings(config: Path, folder: Path) -> ServerSettings:
    """Reads a properties file; relative paths in it are relative to `folder`, as TorchServe has it.

    Raises:
        ValueError: a setting that is needed is missing.
    """
    lines = (line.strip() for line in config.read_text(encoding="utf-8").splitlines())
    pairs = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    try:
        return ServerSettings(
            config,
            folder,
            pairs["inference_address"],
            pairs["management_address"],
            folder / pairs["model_store"],
        )
    except KeyError as error:
        raise ValueError(f"{config}: {error.args[0]} is not set") from error
