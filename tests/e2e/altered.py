"""Makes damaged or wrong archives and artifacts on purpose."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from model.archive import DIGESTS, MANIFEST
from model.artifact import EXTRA_FILES
from train.package import HANDLER, add_digests

RAISES_AT_LOAD = {HANDLER: ("torch.set_num_threads(1)", 'raise RuntimeError("out of order")')}
Change = Callable[[str, bytes], bytes]
"""A function from the name and the content of a file to its new content."""


def as_it_is(_name: str, data: bytes) -> bytes:
    return data


def replacing(texts: Mapping[str, tuple[str, str]]) -> Change:
    """`texts`: file -> (a text in it, its replacement)."""

    def change(name: str, data: bytes) -> bytes:
        if name not in texts:
            return data
        before, after = (text.encode() for text in texts[name])
        assert before in data, f"{name}: {before!r} is not in it"
        return data.replace(before, after)

    return change


def alter(source: Path, target: Path, version: str, change: Change = as_it_is) -> None:
    """Writes `source` as an archive of `version`, with every file changed by `change`, and with matching digests."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in (name for name in old.namelist() if name != DIGESTS):
            data = change(name, old.read(name))
            if name == MANIFEST:
                manifest = json.loads(data)
                manifest["model"]["modelVersion"] = version
                data = json.dumps(manifest).encode()
            new.writestr(name, data)
    add_digests(target)  # the digests of bad code match, too


def alter_artifact(artifact: Path, target: Path, metadata: Mapping[str, Any], shift: float = 0.0) -> None:
    """Writes an artifact with changed metadata and parameters, but with the old digest."""
    extra: dict[str, Any] = dict.fromkeys(EXTRA_FILES, "")
    network = torch.jit.load(str(artifact), _extra_files=extra)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(shift)
    extra["metadata.json"] = json.dumps({**json.loads(extra["metadata.json"]), **metadata}).encode()
    torch.jit.save(network, str(target), _extra_files=extra)
