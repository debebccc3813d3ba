"""Archives that went wrong on the way: packed ones with something changed inside."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

from train.package import MANIFEST as DIGESTS
from train.package import add_manifest

MANIFEST = "MAR-INF/MANIFEST.json"
HANDLER = "ncf_handler.py"


def alter(source: Path, target: Path, version: str, replace: dict[str, tuple[str, str]] | None = None) -> None:
    """Writes `source` as an archive of `version`, with texts replaced in some of its files.

    `replace`: file -> (a text that stands in it, what to put in its place).
    """
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in (name for name in old.namelist() if name != DIGESTS):
            data = old.read(name)
            if name == MANIFEST:
                manifest = json.loads(data)
                manifest["model"]["modelVersion"] = version
                data = json.dumps(manifest).encode()
            if replace and name in replace:
                before, after = (text.encode() for text in replace[name])
                assert before in data, f"{name}: {before!r} is not in it"
                data = data.replace(before, after)
            new.writestr(name, data)
    add_manifest(target)  # whoever packs bad code packs its digest too
