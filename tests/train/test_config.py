from dataclasses import replace
from typing import Any

import pytest

from train.__main__ import main, parse_config
from train.config import PRESETS, TrainConfig
from train.factors.config import FactorsConfig
from train.interest.config import InterestConfig
from train.mlp.config import MLPConfig


def test_presets_are_overridden_by_options() -> None:
    assert parse_config([]) == PRESETS["default"] == TrainConfig()
    assert parse_config(["--preset", "reference"]) == PRESETS["reference"]
    config = parse_config(["--preset", "reference", "--mlp.batch-size", "16", "--mlp.hidden-dims", "8", "4"])
    assert (config.architecture, config.mlp.batch_size, config.mlp.hidden_dims, config.mlp.epochs) == (
        "mlp",
        16,
        (8, 4),
        3,
    )


@pytest.mark.parametrize(
    ("arguments", "option", "trained", "other"),
    [
        (["--mlp.epochs", "5"], "--mlp.epochs", "factors", "mlp"),
        (["--seed", "1", "--mlp.epochs=5"], "--mlp.epochs", "factors", "mlp"),
        (["--mlp.epochs", "20"], "--mlp.epochs", "factors", "mlp"),  # the default, but somebody meant it
        (["--preset", "mlp", "--factors.factors", "12"], "--factors.factors", "mlp", "factors"),
        (["--architecture", "mlp", "--factors.factors", "12"], "--factors.factors", "mlp", "factors"),
    ],
)
def test_options_of_another_architecture_are_refused(
    arguments: list[str], option: str, trained: str, other: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    said = f"train: {option}: an option of architecture {other}, and {trained} is what is trained: leave it out, or add"
    assert capsys.readouterr().err == f"{said} --architecture {other}\n"


def test_an_unknown_preset_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--preset", "best"]) == 2
    assert capsys.readouterr().err == "train: --preset: got best, allowed: default, reference, mlp\n"


def test_options_of_the_architecture_asked_for_are_taken() -> None:
    assert parse_config(["--architecture", "mlp", "--mlp.epochs", "5"]).mlp.epochs == 5
    assert (
        parse_config(["--preset", "mlp", "--architecture", "factors", "--factors.factors", "12"]).factors.factors == 12
    )


def test_noise_candidates_are_pairs() -> None:
    config = parse_config(["--factors.noise-candidates", "16", "1e6", "8", "8", "--no-features"])
    assert config.factors.noise_candidates == ((16.0, 1e6), (8.0, 8.0))
    assert not config.features


@pytest.mark.parametrize(
    ("options", "name", "value"),
    [
        (MLPConfig, "epochs", 0),
        (MLPConfig, "batch_size", 0),
        (MLPConfig, "embedding_dim", 0),
        (MLPConfig, "hidden_dims", ()),
        (MLPConfig, "hidden_dims", (8, 0)),
        (MLPConfig, "dropout", 1.0),
        (MLPConfig, "embedding_dropout", -0.1),
        (MLPConfig, "learning_rate", 0.0),
        (MLPConfig, "weight_decay", -1.0),
        (MLPConfig, "patience", -1),
        (MLPConfig, "inner_size", 0.0),
        (FactorsConfig, "factors", 0),
        (FactorsConfig, "noise_candidates", ()),
        (FactorsConfig, "noise_candidates", ((16.0, 0.0),)),
        (FactorsConfig, "score_noise", (0.0, 1.0)),
        (FactorsConfig, "max_sweeps", 7),
        (FactorsConfig, "inner_size", 1.0),
        (FactorsConfig, "prior_variance", 0.0),
        (FactorsConfig, "max_levels", 1),
        (FactorsConfig, "dropout", 1.0),
        (FactorsConfig, "weight_decay", -1.0),
        (FactorsConfig, "rating_weight", 1.5),
        (TrainConfig, "test_size", 1.0),
        (TrainConfig, "threads", -1),
        (TrainConfig, "rating_scale", (5.0, 5.0)),
    ],
)
def test_every_option_is_checked(options: type, name: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"{name.replace('_', '-')}: got .*, allowed: "):
        options(**{name: value})


@pytest.mark.parametrize(
    ("split", "sittings"), [("random", 1.0), ("users", 1.0), ("time", 0.0), ("time-per-user", 0.0)]
)
def test_movies_of_one_sitting_count_more_unless_the_split_is_by_time(split: Any, sittings: float) -> None:
    config = TrainConfig(split=split)
    assert config.tuned_interest.sittings == sittings
    given = replace(config, interest=InterestConfig(sittings=0.5))
    assert given.tuned_interest.sittings == 0.5


@pytest.mark.parametrize("split", ["random", "time"])
@pytest.mark.parametrize(("tune_for", "drift", "sittings"), [("past", False, 1.0), ("future", True, 0.0)])
def test_what_a_network_is_tuned_for_can_differ_from_the_split(
    split: Any, tune_for: Any, drift: bool, sittings: float
) -> None:
    config = TrainConfig(split=split, tune_for=tune_for)
    assert config.learns_drift == drift
    assert config.tuned_interest.sittings == sittings
