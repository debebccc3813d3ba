"""Archives that were damaged, or made wrong on purpose."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from model.artifact import EXTRA_FILES

MANIFEST, SUMS = "MAR-INF/MANIFEST.json", "SHA256SUMS"


def alter(archive: Path, target: Path, version: str, change: Callable[[str, bytes], bytes]) -> None:
    """Writes `target`, the archive as another version with every file as `change(name, data)` has it.

    The list of digests inside says what it says of a good archive.
    """
    sums = []
    with zipfile.ZipFile(archive) as source, zipfile.ZipFile(target, "w") as file:
        for name in source.namelist():
            data = change(name, source.read(name))
            if name == MANIFEST:
                manifest = json.loads(data)
                manifest["model"]["modelVersion"] = version
                data = json.dumps(manifest).encode()
            if name != SUMS:
                sums.append(f"{hashlib.sha256(data).hexdigest()}  {name}\n")
                file.writestr(name, data)
        file.writestr(SUMS, "".join(sums))


def alter_artifact(artifact: Path, target: Path, metadata: Mapping[str, Any], shift: float = 0.0) -> None:
    """Writes an artifact with other metadata, and with every parameter moved, under the digest of before."""
    extra: dict[str, Any] = dict.fromkeys(EXTRA_FILES, "")
    network = torch.jit.load(str(artifact), _extra_files=extra)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(shift)
    extra["metadata.json"] = json.dumps({**json.loads(extra["metadata.json"]), **metadata}).encode()
    torch.jit.save(network, str(target), _extra_files=extra)
