"""Which versions have workers beside this one: TorchServe runs each in the folder of its unpacked archive."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from handler.front_end import front_end_pid
from model.archive import MANIFEST, version_order


def served_versions() -> dict[str, Any]:
    """`versions`: those of this worker's model that have workers now; empty where the system has no /proc."""
    versions = {version for child in _children(front_end_pid()) if (version := _version(child)) is not None}
    return {"versions": sorted(versions, key=version_order)}


def _children(parent: int) -> list[Path]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            after_name = (process / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has just ended
        if int(after_name[1]) == parent:
            found.append(process)
    return found


def _version(process: Path) -> str | None:
    try:
        manifest = json.loads((process / "cwd" / MANIFEST).read_bytes())
    except (OSError, ValueError):
        return None
    return str(manifest["model"]["modelVersion"])
