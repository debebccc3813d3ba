"""Computes an archive's answers in this process: a server with this archive must give the same answers.

The artifact and the settings come from the archive. The code comes from this folder, not from the archive. So if the
code in the archive is damaged, the answers differ. This module imports torch, which takes a second or two: import it
late.
"""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import orjson
import torch
import yaml

from handler.request import JSON_HEADERS, Request
from handler.service import RatingService
from handler.settings import HandlerSettings
from model.archive import MANIFEST, NAME
from model.artifact import load_artifact


class ArchiveError(ValueError):
    """The archive cannot be served as this version; the message says why."""


class InProcess(NamedTuple):
    """An answer computed without a server: the status and the JSON that a client must get."""

    status: int
    value: Any


class Reference:
    """Answers bodies as a server must that has registered this archive as this version.

    Raises:
        ArchiveError: the archive is damaged, or contains another version or no artifact that can be served.
    """

    def __init__(self, archive: Path, version: str) -> None:
        torch.set_num_threads(1)
        try:
            with TemporaryDirectory() as folder, zipfile.ZipFile(archive) as opened:
                described = json.loads(opened.read(MANIFEST))["model"]
                if described.get("modelVersion") != version:
                    raise ArchiveError(f"{archive}: holds version {described.get('modelVersion')}, expected {version}")
                settings = yaml.safe_load(opened.read(described["configFile"]))["handler"]
                self.artifact = load_artifact(Path(opened.extract(described["serializedFile"], folder)))
                self._service = RatingService(self.artifact, HandlerSettings.from_mapping(settings), NAME, version)
        except (zipfile.BadZipFile, KeyError, TypeError, ValueError, OSError) as error:
            raise error if isinstance(error, ArchiveError) else ArchiveError(f"{archive}: {error}") from error

    def answer(self, body: bytes) -> InProcess:
        """The answer to one body."""
        [response] = self._service.answer([Request(body, JSON_HEADERS)])
        return InProcess(response.status, orjson.loads(response.body))
