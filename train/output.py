"""The files of a run: checkpoint, artifact, metrics and model card. Each is written in one step."""

from __future__ import annotations

import datetime
import json
import platform
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from safetensors.torch import save_file

from model.archive import MODEL_CARD
from model.artifact import Artifact, describe_artifact, save_artifact
from model.catalogue import Catalogue
from model.files import atomic_write
from model.ids import IdMap
from model.interest import Interest
from model.network import RatingNetwork
from model.scale import RatingScale
from model.vocabulary import METADATA, Vocabulary
from train.architectures import ARCHITECTURES
from train.config import TrainConfig
from train.dataset.data import MOVIE_ID, RatingsData
from train.dataset.figures import describe_data, describe_events
from train.dataset.tensors import TrainingSet
from train.evaluation.held_out import HeldOut, save_held_out
from train.evaluation.model_card import model_card
from train.event_users import add_events
from train.interest.fit import history_of
from train.method import Choice

ARTIFACT = "ncf.pt"
MEASURED = "measured.pt"
CHECKPOINT = "checkpoint.safetensors"
METRICS = "metrics.json"
HELD_OUT = "held_out.npz"


def describe(
    config: TrainConfig,
    network: RatingNetwork,
    choice: Choice,
    results: dict[str, Any],
    split: dict[str, Any],
    figures: dict[str, Any],
) -> dict[str, Any]:
    """The description of the run for metrics.json and the artifact's metadata, without the speed.

    split: as `Sides.described`. figures: as `figures_of`.
    """
    options = {name: str(value) if isinstance(value, Path) else value for name, value in asdict(config).items()}
    others = {"data", "out", "movies", "test_file", "events", "resume", *ARCHITECTURES} - {config.architecture}
    return {
        "version": config.version,
        METADATA: config.words.to_dict(),
        "architecture": type(network).__name__,
        "metrics": results,
        "chosen": choice.settings,
        "reasons": choice.reasons,
        "config": {name: value for name, value in options.items() if name not in others},
        "seed": config.seed,
        "split": split,
        **figures,
        "libraries": {"torch": torch.__version__, "numpy": np.__version__, "python": platform.python_version()},
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }


def figures_of(data: RatingsData) -> dict[str, Any]:
    """What metrics.json tells of ratings and events."""
    events = {} if data.events is None else {"events": describe_events(data.events)}
    return {"data": describe_data(data), **events}


def artifact_of(
    network: RatingNetwork,
    interest: Interest | None,
    trained: TrainingSet,
    scale: RatingScale,
    movies: pd.DataFrame | None,
    metadata: dict[str, Any],
) -> Artifact:
    """The artifact of a network, and of the ratings and events that it was trained on. movies: the catalogue.

    The network's user table grows if there are users with events and no ratings.
    """
    catalogue = build_catalogue(movies, trained.movie_ids)
    ids = trained.user_ids, trained.movie_ids
    artifact = Artifact(network, *ids, scale, history_of(trained), catalogue, metadata, interest)
    return artifact if trained.events is None else add_events(artifact, network, trained.events)


def measured_metadata(config: TrainConfig, network: RatingNetwork) -> dict[str, Any]:
    """The metadata of the model that was measured."""
    named = {"version": config.version, METADATA: config.words.to_dict()}
    return {**named, "architecture": type(network).__name__}


def write_measured(artifact: Artifact, out: Path) -> None:
    """Keeps the model that was measured beside the served one, which knows the held-out ratings too.

    It can be compared with other versions on ratings that it was not trained on (train/compare).
    """
    out.mkdir(parents=True, exist_ok=True)
    save_artifact(artifact, out / MEASURED)


def write(artifact: Artifact, metrics: dict[str, Any], out: Path, held_out: HeldOut | None = None) -> str:
    """Writes everything under `out`, which exists; returns the artifact's digest.

    artifact: its metadata are what the metrics lack. held_out: what was predicted of the held-out ratings, where there
    are any.
    """
    state = {name: tensor.contiguous() for name, tensor in artifact.network.state_dict().items()}
    with atomic_write(out / CHECKPOINT) as partial:
        save_file(state, partial)
    metadata = {name: value for name, value in metrics.items() if name != "learning_curve"}
    artifact = replace(artifact, metadata=metadata | artifact.metadata)
    digest = save_artifact(artifact, out / ARTIFACT)
    _write_text(out / METRICS, json.dumps({**metrics, "digest": digest}, indent=1, ensure_ascii=False))
    _write_text(out / MODEL_CARD, model_card(describe_artifact(artifact, digest)))
    if held_out is None or metrics["split"].get("served") != "all":
        (out / MEASURED).unlink(missing_ok=True)  # what is served was measured itself
    if held_out is None:
        (out / HELD_OUT).unlink(missing_ok=True)  # an earlier run's would not fit
    else:
        save_held_out(held_out.sample(), out / HELD_OUT, digest)
    return digest


def _write_text(path: Path, text: str) -> None:
    with atomic_write(path) as partial:
        partial.write_text(text, encoding="utf-8")


def most_rated(trained: TrainingSet, words: Vocabulary) -> dict[str, Any]:
    """Ids to try the model with: the user with the most ratings and the three movies with the most."""
    user = int(torch.bincount(trained.ratings.user_index).argmax())
    movies = torch.bincount(trained.ratings.movie_index).argsort(descending=True, stable=True)[:3].numpy()
    return {"user_id": trained.user_ids.raw(np.array([user]))[0], words.item_ids: trained.movie_ids.raw(movies)}


def build_catalogue(movies: pd.DataFrame | None, movie_ids: IdMap) -> Catalogue:
    """The movies' facts in the order of rows; `None` where the data has no fact."""
    if movies is None:
        return Catalogue({}, len(movie_ids))
    raw = movies[MOVIE_ID].tolist()
    rows = movie_ids.rows(raw)
    facts = movies.drop(columns=MOVIE_ID).iloc[np.flatnonzero(rows != movie_ids.unknown)]
    columns = {}
    for name in facts.columns:
        values: list[Any] = [None] * len(movie_ids)
        for row, value in zip(rows[rows != movie_ids.unknown].tolist(), facts[name].tolist(), strict=True):
            values[row] = value
        columns[str(name)] = values
    return Catalogue(columns, len(movie_ids))
