"""One training run, from a file of ratings to a written artifact.

Epochs are chosen on an inner split of the training rows; the held-out rows are looked at once, to report; what is
served is then trained on everything, so that no rated user or movie is a stranger to it.
"""

from __future__ import annotations

import datetime
import json
import platform
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from safetensors.torch import save_file

from model.artifact import Artifact, save_artifact
from model.catalogue import Catalogue
from model.history import History
from model.ids import IdMap
from model.network import EmbeddingMLP
from model.scale import RatingScale
from train.config import TrainConfig
from train.data import MOVIE_ID, RatingsData, split_ratings
from train.evaluate import evaluate
from train.fit import FitLog, build_network, fit
from train.plots import plot_learning_curve, plot_rating_histogram
from train.tensors import Ratings, index_ratings, look_up_ratings
from train.unknown import fit_unknown_rows

ARTIFACT = "ncf.pt"
CHECKPOINT = "checkpoint.safetensors"
METRICS = "metrics.json"


@dataclass(frozen=True)
class Trained:
    """A fitted network with the ratings and the maps that it was fitted on."""

    network: EmbeddingMLP
    ratings: Ratings
    user_ids: IdMap
    movie_ids: IdMap
    log: FitLog


def run(config: TrainConfig, data: RatingsData) -> dict[str, Any]:
    """Trains, reports and writes everything under `config.out`; returns what metrics.json holds."""
    started = time.perf_counter()
    if config.threads:
        torch.set_num_threads(config.threads)
    scale = RatingScale(*data.rating_scale)
    epochs, choice = config.epochs, None
    results: dict[str, Any] = {}
    if config.test_size:
        split = split_ratings(data.ratings, config.test_size, config.split_seed, data.source)
        if config.patience:
            choice = _choose_epochs(split.train, scale, config)
            epochs = choice.best_epoch
        trained = _train(split.train, scale, config, epochs, "train")
        held_out = look_up_ratings(split.validation, trained.user_ids, trained.movie_ids)
        results = evaluate(trained.network, trained.ratings, held_out, scale)
    elif config.patience:
        choice = _choose_epochs(data.ratings, scale, config)
        epochs = choice.best_epoch
    training_s = time.perf_counter() - started
    if config.refit or not config.test_size:
        trained = _train(data.ratings, scale, config, epochs, "refit on all")
    metrics = _describe(config, data, results, epochs, training_s, len(trained.ratings))
    config.out.mkdir(parents=True, exist_ok=True)
    baseline = results.get("known", {}).get("shrunken_bias", {}).get("mse")
    plot_learning_curve(choice or trained.log, baseline, config.out / "learning_curve.png")
    plot_rating_histogram(trained.ratings.rating.numpy(), config.out / "rating_histogram.png")
    metrics["digest"] = _write(trained, scale, data, metrics, config.out)
    return metrics


def _choose_epochs(frame: pd.DataFrame, scale: RatingScale, config: TrainConfig) -> FitLog:
    """How many epochs do best on an inner split of the training rows."""
    ratings, user_ids, movie_ids = index_ratings(frame)
    order = torch.randperm(len(ratings), generator=torch.Generator().manual_seed(config.split_seed))
    watched = ratings.take(order[: max(1, round(config.inner_size * len(order)))])
    rest = ratings.take(order[len(watched) :])
    seen = torch.isin(watched.user_index, rest.user_index) & torch.isin(watched.movie_index, rest.movie_index)
    watched = watched.take(seen) if bool(seen.any()) else watched
    network = build_network(config, len(user_ids), len(movie_ids)).to(_device())
    return fit(
        network,
        rest.to(_device()),
        scale,
        config,
        epochs=config.epochs,
        watched=watched.to(_device()),
        label="choose epochs",
    )


def _train(frame: pd.DataFrame, scale: RatingScale, config: TrainConfig, epochs: int, label: str) -> Trained:
    ratings, user_ids, movie_ids = index_ratings(frame)
    network = build_network(config, len(user_ids), len(movie_ids)).to(_device())
    on_device = ratings.to(_device())
    log = fit(network, on_device, scale, config, epochs=epochs, label=label)
    fit_unknown_rows(network, on_device, scale, config.seed)
    return Trained(network.cpu(), ratings, user_ids, movie_ids, log)


def _device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def _describe(
    config: TrainConfig, data: RatingsData, results: dict[str, Any], epochs: int, training_s: float, rows: int
) -> dict[str, Any]:
    """What metrics.json and the artifact's metadata tell of the run."""
    options = {name: str(value) if isinstance(value, Path) else value for name, value in asdict(config).items()}
    return {
        "version": config.version,
        "architecture": EmbeddingMLP.__name__,
        "metrics": results,
        "epochs": epochs,
        "training_s": round(training_s, 3),
        "rows_per_s": round(epochs * rows / training_s),
        "config": {name: value for name, value in options.items() if name not in ("data", "out", "movies")},
        "seed": config.seed,
        "split": {
            "seed": config.split_seed,
            "test_size": config.test_size,
            "served": "all" if config.refit else "train",
        },
        "data": {"file": data.source.name, "sha256": data.sha256, "repeated_pairs": data.repeated_pairs},
        "libraries": {"torch": torch.__version__, "numpy": np.__version__, "python": platform.python_version()},
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }


def _write(trained: Trained, scale: RatingScale, data: RatingsData, metrics: dict[str, Any], out: Path) -> str:
    """Writes checkpoint, metrics and, last, the artifact: each appears whole or not at all."""
    state = {name: tensor.contiguous() for name, tensor in trained.network.state_dict().items()}
    partial = out / f".{CHECKPOINT}.partial"
    save_file(state, partial)
    partial.replace(out / CHECKPOINT)
    rated = trained.ratings
    history = History.from_ratings(
        rated.user_index.numpy(), rated.movie_index.numpy(), rated.rating.numpy(), len(trained.user_ids)
    )
    catalogue = build_catalogue(data.movies, trained.movie_ids)
    metadata = {**metrics, "example": _example(trained)}
    artifact = Artifact(trained.network, trained.user_ids, trained.movie_ids, scale, history, catalogue, metadata)
    digest = save_artifact(artifact, out / ARTIFACT)
    partial = out / f".{METRICS}.partial"
    partial.write_text(json.dumps({**metrics, "digest": digest}, indent=1, ensure_ascii=False), encoding="utf-8")
    partial.replace(out / METRICS)
    return digest


def _example(trained: Trained) -> dict[str, Any]:
    """Ids to try the model with: the user with the most ratings and the three movies with the most."""
    user = int(torch.bincount(trained.ratings.user_index).argmax())
    movies = torch.bincount(trained.ratings.movie_index).argsort(descending=True, stable=True)[:3].numpy()
    return {"user_id": trained.user_ids.raw(np.array([user]))[0], "movie_ids": trained.movie_ids.raw(movies)}


def build_catalogue(movies: pd.DataFrame | None, movie_ids: IdMap) -> Catalogue:
    """The movies' facts in the order of rows; `None` for those the data says nothing of."""
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
