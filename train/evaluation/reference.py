"""The reference network on a version's own split: the line of a report that costs a minute of training."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from model.scale import RatingScale
from train.config import PRESETS, RATINGS_OPTIONS
from train.dataset.tensors import index_ratings, look_up_ratings
from train.errors import DataError
from train.evaluation.held_out import HeldOut
from train.mlp.method import choose_mlp, fit_mlp
from train.predict import predict
from train.splitting import split_as_asked

REFERENCE = "reference"
_AS_TRAINED = (*RATINGS_OPTIONS, "test_size", "split", "given", "split_seed")


def add_reference(held_out: HeldOut, metrics: dict[str, Any], source: str | Path) -> HeldOut:
    """Trains the reference network as `metrics` (metrics.json) tells of reading and splitting, and predicts the rows.

    Raises:
        DataError: `source` is not the data that the version was trained on, or it was measured on a test file,
            or trained by parts.
    """
    if metrics["split"].get("kind") == "test-file":
        raise DataError("--reference: this version was measured on a test file; allowed is one measured on a split")
    if metrics["split"].get("by") == "hash":
        raise DataError("--reference: this version was trained by parts; allowed is one trained without CLUSTER")
    told = metrics["config"]
    config = replace(PRESETS[REFERENCE], data=source, **{name: told[name] for name in _AS_TRAINED if name in told})
    data = config.read(source, tuple(told["rating_scale"]) if told["rating_scale"] else None)
    if data.sha256 != metrics["data"]["sha256"]:
        raise DataError(f"{data.source}: is not what this version was trained on, its SHA-256 is another")
    torch.set_num_threads(1)  # as in training
    scale = RatingScale(*data.rating_scale)
    sides = split_as_asked(config, data)
    assert sides.held_out is not None
    trained = index_ratings(sides.train)
    fitted = fit_mlp(trained, scale, config, choose_mlp(trained, scale, config), "reference network")
    rows = look_up_ratings(sides.held_out, trained.user_ids, trained.movie_ids).take(torch.from_numpy(held_out.row))
    return held_out.with_prediction(REFERENCE, predict(fitted.network, rows, scale).numpy())
