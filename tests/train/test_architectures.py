"""The registry says all that differs between architectures: a toy one is trained end to end through it alone."""

# ruff: noqa: ARG001  the names of the arguments are the protocol's

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import pytest
import torch
from torch import nn

from model.archive import MODEL_CARD
from model.artifact import load_artifact
from model.asks import PairAnswer, PairAsk
from model.network import EmbeddingMLP
from model.predictor import Predictor
from model.scale import RatingScale
from train import architectures
from train.architectures import ARCHITECTURES, architecture_named, check_registry
from train.config import TrainConfig
from train.dataset.demo import write_demo
from train.dataset.tensors import TrainingSet
from train.fit_log import FitLog
from train.method import Architecture, Choice, Fitted
from train.output import ARTIFACT
from train.resume import Stages
from train.run import run


@dataclass(frozen=True)
class MeanConfig:
    """Options of the toy."""

    shift: float = 0.0


class MeanNetwork(EmbeddingMLP):
    """Says the same of every pair."""


@dataclass(frozen=True)
class ToyConfig(TrainConfig):
    """The options of a training, with the toy among its architectures."""

    architecture: Literal["factors", "mlp", "mean"] = "mean"  # type: ignore[assignment]
    mean: MeanConfig = field(default_factory=MeanConfig)


def choose(data: TrainingSet, scale: RatingScale, config: TrainConfig, stages: Stages) -> Choice:
    return Choice({"nothing": True}, FitLog())


def fit(
    data: TrainingSet, scale: RatingScale, config: TrainConfig, choice: Choice, label: str, stages: Stages
) -> Fitted:
    network = MeanNetwork(len(data.user_ids), len(data.movie_ids), 2, (2,))
    unit = scale.to_unit(float(data.ratings.rating.mean()))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
        nn.init.constant_(network.get_parameter(f"mlp.{len(network.mlp) - 1}.bias"), math.log(unit / (1 - unit)))
    return Fitted(network.eval(), FitLog(), 1)


MEAN = Architecture(
    options=MeanConfig,
    choose=choose,
    fit=fit,
    network=MeanNetwork,
    summary="the mean of all ratings",
    uses_features=False,
    predict_levels=None,
)


def test_a_toy_architecture_is_trained_to_an_artifact_that_rates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = {**ARCHITECTURES, "mean": MEAN}
    for module in ("train.run", "train.output", "train.architectures"):
        monkeypatch.setattr(f"{module}.ARCHITECTURES", entries)
    write_demo(tmp_path / "demo")
    config = ToyConfig(data=tmp_path / "demo", out=tmp_path / "1.0")
    data = config.read(config.data, None)
    metrics = run(config, data)
    assert metrics["config"].keys() >= {"mean"}
    assert not metrics["config"].keys() & {"factors", "mlp"}
    assert metrics["metrics"]["known"]["network"]["mse"] == pytest.approx(
        metrics["metrics"]["known"]["global_mean"]["mse"], rel=1e-3
    )
    artifact = load_artifact(tmp_path / "1.0" / ARTIFACT)
    [answer] = Predictor(artifact).answer([PairAsk(1, 2)])
    assert isinstance(answer, PairAnswer)
    assert answer.rating == pytest.approx(float(data.ratings["rating"].mean()), abs=0.01)
    assert "the mean of all ratings" in (tmp_path / "1.0" / MODEL_CARD).read_text()


def test_an_unknown_architecture_is_refused_with_the_allowed_ones() -> None:
    with pytest.raises(ValueError, match="architecture: got mean, allowed: factors, mlp"):
        architecture_named("mean")


def test_an_entry_without_a_field_fails() -> None:
    with pytest.raises(TypeError, match="predict_levels"):
        Architecture(options=MeanConfig, choose=choose, fit=fit, network=MeanNetwork, summary="", uses_features=False)  # type: ignore[call-arg]


def test_an_architecture_that_the_options_do_not_know_fails() -> None:
    with pytest.raises(TypeError, match=r"TrainConfig\.architecture: got .*expected .*mean"):
        check_registry({"mean": MEAN, **ARCHITECTURES}, TrainConfig)
    with pytest.raises(TypeError, match="no field of the options of architecture mean"):
        check_registry({"mean": replace(MEAN, options=int), **ARCHITECTURES}, ToyConfig)
    check_registry({"mean": MEAN, **architectures.ARCHITECTURES}, ToyConfig)
