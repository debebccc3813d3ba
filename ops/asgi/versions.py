"""The versions that this process serves, loaded from the archives that TorchServe would load.

The code comes from this folder, not from an archive. All versions of a process share it. Only the compiled head is
the archive's own.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import yaml

from handler.service import Metrics, RatingService
from handler.settings import HandlerSettings, check_config
from model.archive import MANIFEST, MODEL_CARD, NAME, version_order
from model.artifact import load_artifact

logger = logging.getLogger(__name__)

_BATCH_SIZE = 48


@dataclass(frozen=True)
class Served:
    """One version, and its queue of requests."""

    service: RatingService
    batch_size: int
    max_body_bytes: int


@dataclass(frozen=True)
class Versions:
    """Every version that is served, by name, and the default."""

    served: Mapping[str, Served]
    default: str


MakeMetrics = Callable[[str, HandlerSettings], Metrics | None]


def load_versions(folder: Path, make_metrics: MakeMetrics) -> Versions:
    """Loads the archives that `unpack` unpacked, the default first, and warms up each version.

    Raises:
        ArtifactError, ValueError, OSError: a version cannot be served.
    """
    torch.set_num_threads(1)  # several processes share the cores; with more threads they would slow each other down
    places = sorted(folder.iterdir(), key=lambda path: int(path.name))
    manifests = {place: json.loads((place / MANIFEST).read_bytes())["model"] for place in places}
    versions = [str(manifest["modelVersion"]) for manifest in manifests.values()]
    together = {"versions": sorted(versions, key=version_order)}
    served = {
        version: _load(place, manifest, version, make_metrics, together)
        for version, (place, manifest) in zip(versions, manifests.items(), strict=True)
    }
    return Versions(served, versions[0])


def _load(
    folder: Path, manifest: Mapping[str, Any], version: str, make_metrics: MakeMetrics, together: dict[str, Any]
) -> Served:
    config = yaml.safe_load((folder / manifest["configFile"]).read_text(encoding="utf-8"))
    check_config(config)
    settings = HandlerSettings.from_mapping(config.get("handler"))
    device = "cuda" if torch.cuda.is_available() else "cpu"
    card = folder / MODEL_CARD
    service = RatingService(
        load_artifact(folder / manifest["serializedFile"], device),
        settings,
        NAME,
        version,
        device=device,
        metrics=make_metrics(version, settings),
        card=card.read_text(encoding="utf-8") if card.is_file() else "",
        neighbours=lambda: together,
    )
    service.warm_up()
    logger.info("version %s on %s by %s", version, device, service.predictor.scorer.head_name)
    return Served(service, config.get("batchSize", _BATCH_SIZE), settings.max_body_bytes)
