"""Whether two versions have the same items. It compares the movie ids inside their archives, without torch."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import numpy as np

from model.archive import MANIFEST

# A retrained or updated version knows nearly all movies of its predecessor; another data set has almost none of them.
SAME_ITEMS = 0.5
# The place of the movie ids in an artifact: small ones are an extra file, large ones a mapped array (model/maps.py).
_ENTRIES = ("/extra/movie_ids", "mapped/movie_ids.npy")


def shared_items(archive: Path, other: Path) -> float | None:
    """The share of the smaller archive's movie ids that the other one knows, 0 to 1; None if one cannot be read."""
    try:
        ids, others = _movie_ids(archive), _movie_ids(other)
    except (OSError, ValueError, LookupError, zipfile.BadZipFile):
        return None
    if (ids.dtype.kind == "i") != (others.dtype.kind == "i"):
        return 0.0
    return len(np.intersect1d(ids, others)) / max(1, min(len(ids), len(others)))


def _movie_ids(archive: Path) -> np.ndarray:
    """The movie ids of the artifact, a TorchScript file, which is a zip file inside the archive."""
    with zipfile.ZipFile(archive) as outer:
        name = json.loads(outer.read(MANIFEST))["model"]["serializedFile"]
        with outer.open(name) as stored, zipfile.ZipFile(stored) as inner:
            [found] = [entry for entry in inner.namelist() if entry.endswith(_ENTRIES)]
            ids: np.ndarray = np.load(io.BytesIO(inner.read(found)), allow_pickle=False)
    return ids
