"""Facts about a version: from its artifact, without torch, or from the note that was kept when it was removed."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

from model.vocabulary import Vocabulary
from ops.build.shelf import PRUNED, Shelf


def facts_of(shelf: Shelf, version: str) -> dict[str, Any]:
    """Data, size, errors and rankings of a version; {} if nothing is known.

    `of` is the version with these errors and rankings: an update is not measured again, so it is its base.
    """
    left = shelf.folder(version) / PRUNED
    if left.is_file():
        found: dict[str, Any] = json.loads(left.read_text(encoding="utf-8"))
        return found
    metadata = _metadata(shelf.artifact(version))
    if metadata is None:
        return {}
    known = metadata.get("metrics", {}).get("known", {}).get("network", {})
    ranked = metadata.get("rankings", {}).get("liked", {})
    served: dict[str, Any] = next(iter(ranked.values()), {})
    return {
        "created": metadata.get("created"),
        "way": "update" if metadata.get("updates") else "adopt" if "adopted" in metadata else "train",
        "data": _data(metadata),
        "ratings": metadata.get("num_ratings"),
        "users": metadata.get("num_users"),
        "movies": metadata.get(Vocabulary.of(metadata).num_items),
        "rmse": known.get("rmse"),
        "ndcg": served.get("ndcg@10"),
        "of": metadata.get("metrics_of", metadata).get("version"),
    }


def _data(metadata: dict[str, Any]) -> str | None:
    """The file or address of a version's ratings; that of the new ratings if it is an update."""
    newest = [metadata, *metadata.get("updates", [])][-1]
    found: str | None = newest.get("data", {}).get("file")
    return found


def words_of(shelf: Shelf, version: str) -> Vocabulary:
    """A version's words for items and tags."""
    return Vocabulary.of(_metadata(shelf.artifact(version)) or {})


def _metadata(artifact: Path) -> dict[str, Any] | None:
    """metadata.json inside the artifact, which is a zip file."""
    try:
        with zipfile.ZipFile(artifact) as file:
            [name] = [one for one in file.namelist() if one.endswith("/extra/metadata.json")]
            found: dict[str, Any] = json.loads(file.read(name))
            return found
    except (OSError, ValueError, zipfile.BadZipFile):
        return None
