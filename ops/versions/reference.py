"""An archive's own answers, computed in this process: what a server that holds it must say.

The artifact and the handler's settings are the archive's; the code around them is this project's, not the archive's, so
that code which went wrong on the way is found out. It imports torch, which takes a second or two: import it late.
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

from handler.codec import make_codec
from handler.errors import RequestError
from handler.request import Incoming, Reply
from handler.settings import HandlerSettings
from model.archive import MANIFEST, NAME
from model.artifact import load_artifact
from model.predictor import Predictor


class ArchiveError(ValueError):
    """The archive cannot be served as this version; the message says which and why."""


class InProcess(NamedTuple):
    """An answer without a server: the status and the JSON that a client would get."""

    status: int
    value: Any


class Reference:
    """Answers bodies as a server must that holds this archive as this version.

    Raises:
        ArchiveError: it is damaged, holds another version than its name says, or no artifact that can be served.
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
                self._codec = make_codec(self.artifact, HandlerSettings.from_mapping(settings), NAME, version)
        except (zipfile.BadZipFile, KeyError, TypeError, ValueError, OSError) as error:
            raise error if isinstance(error, ArchiveError) else ArchiveError(f"{archive}: {error}") from error
        self._predictor = Predictor(self.artifact)

    def answer(self, body: bytes) -> InProcess:
        """The answer to one body."""
        try:
            request = self._codec.decode(Incoming({"body": body}, {"content-type": "application/json"}))
            reply: Reply = request.encode(self._predictor.answer(request.asks))
        except RequestError as error:
            reply = error.to_reply()
        return InProcess(reply.status, orjson.loads(reply.body))
