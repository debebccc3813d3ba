"""Archives that were damaged, or made wrong on purpose."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from model.artifact import EXTRA_FILES

MANIFEST = "MAR-INF/MANIFEST.json"


def alter(archive: Path, target: Path, version: str, change: Callable[[str, bytes], bytes]) -> None:
    """Writes `target`, the archive as another version with every file as `change(name, data)` has it.

    It is what TorchServe takes for a good archive: the list of digests inside, which would tell, is left out.
    """
    with zipfile.ZipFile(archive) as source, zipfile.ZipFile(target, "w") as file:
        for name in source.namelist():
            data = source.read(name)
            if name == MANIFEST:
                manifest = json.loads(data)
                manifest["model"]["modelVersion"] = version
                data = json.dumps(manifest).encode()
            if name != "SHA256SUMS":
                file.writestr(name, change(name, data))


def alter_artifact(artifact: Path, target: Path, metadata: Mapping[str, Any], shift: float = 0.0) -> None:
    """Writes an artifact with other metadata, and with every parameter moved, under the digest of before."""
    extra: dict[str, Any] = dict.fromkeys(EXTRA_FILES, "")
    network = torch.jit.load(str(artifact), _extra_files=extra)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(shift)
    extra["metadata.json"] = json.dumps({**json.loads(extra["metadata.json"]), **metadata}).encode()
    torch.jit.save(network, str(target), _extra_files=extra)
