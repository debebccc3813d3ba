"""Converts an artifact for plain `torch.jit.load`: with its large tables and maps inside, not mapped beside it."""

from __future__ import annotations

import sys
from pathlib import Path
from unittest import mock

import model.tables
from model.artifact import load_artifact, save_artifact


def save_in_one_file(artifact: Path, target: Path) -> Path:
    """Writes the artifact to `target` for servers that do not know this project's format; returns `target`."""
    with mock.patch.object(model.tables, "MAPPED_BYTES", sys.maxsize):
        save_artifact(load_artifact(artifact), target)
    return target
