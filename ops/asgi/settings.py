"""The settings that the ASGI server reads from config.properties, under TorchServe's names."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ops.asgi.cors import Cors
from ops.properties import parse_properties

_MOST_WAITING = 1000


@dataclass(frozen=True)
class AsgiSettings:
    """The number of processes, how many requests of a version may wait in each, and the CORS settings."""

    workers: int
    most_waiting: int
    cors: Cors


def read_asgi_settings(config: Path) -> AsgiSettings:
    """Reads `default_workers_per_model` (0: one per core), `job_queue_size` and the `cors_` lines.

    Raises:
        ValueError: a value is not a number in its range; the message names the file and the setting.
    """
    properties = parse_properties(config.read_text(encoding="utf-8"))
    workers = _number(config, properties, "default_workers_per_model", default=0, least=0)
    most_waiting = _number(config, properties, "job_queue_size", default=_MOST_WAITING, least=1)
    return AsgiSettings(workers or len(os.sched_getaffinity(0)), most_waiting, Cors.from_properties(properties))


def _number(config: Path, properties: Mapping[str, str], name: str, default: int, least: int) -> int:
    text = properties.get(name, str(default))
    if not (text.isascii() and text.isdigit() and int(text) >= least):
        raise ValueError(f"{config}: {name}: got {text!r}, allowed: an integer of at least {least}")
    return int(text)
