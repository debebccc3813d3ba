"""The folder that the server and its processes share. An environment variable names it."""

from __future__ import annotations

from pathlib import Path

# The beginning of the folder's name; the folder is inside the temporary folder of the server.
PREFIX = "asgi-"
# Variables of a process's environment: the folder, the configuration, and the folder of prometheus_client's files.
FOLDER = "NCF_ASGI_FOLDER"
CONFIG = "NCF_ASGI_CONFIG"
METRICS = "PROMETHEUS_MULTIPROC_DIR"


def archives(folder: Path) -> Path:
    """A link to the unpacked archives that a process loads at its start."""
    return folder / "archives"


def workers(folder: Path) -> Path:
    """The folder in which each process notes its PID."""
    return folder / "workers"


def metrics(folder: Path) -> Path:
    """The folder with the metrics of each process."""
    return folder / "metrics"
