"""The card of an artifact: front matter that tools can read, and figures that are the run's own."""

import json
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from model.archive import MODEL_CARD
from model.artifact import Artifact, load_artifact, save_artifact
from train.__main__ import main
from train.evaluation.model_card import model_card
from train.evaluation.ranking_words import as_text, compare_with_popular
from train.output import ARTIFACT, METRICS
from train.package import PackageConfig, package

SECTIONS = ["Model details", "Intended use", "Training data", "Evaluation", "Limitations", "How to use"]


def front_matter(card: str) -> dict[str, Any]:
    head, front, _ = card.split("---\n", 2)
    assert head == ""
    parsed: dict[str, Any] = yaml.safe_load(front)
    return parsed


@pytest.fixture(scope="module")
def trained(small_file: Path, tmp_path_factory: pytest.TempPathFactory, quick_options: list[str]) -> Path:
    folder = tmp_path_factory.mktemp("card")
    assert main(["--data", str(small_file), "--out", str(folder), "--version", "2.3", *quick_options]) == 0
    return folder


def test_the_front_matter_holds_every_figure_in_full(trained: Path) -> None:
    metrics = json.loads((trained / METRICS).read_text())
    front = front_matter((trained / MODEL_CARD).read_text())
    (model,) = front["model-index"]
    assert model["name"] == "ncf-2.3"
    told = {
        result["dataset"]["split"].removeprefix("held out, "): {one["type"]: one["value"] for one in result["metrics"]}
        for result in model["results"]
    }
    assert told.pop("rankings") == next(iter(metrics["rankings"]["liked"].values()))
    network = {group: by_predictor["network"] for group, by_predictor in metrics["metrics"].items()}
    assert told == {group: {name: errors[name] for name in ("mse", "rmse", "mae")} for group, errors in network.items()}
    assert {"license", "tags", "metrics"} <= set(front)


def test_the_tables_figures_and_counts_are_the_runs_own(trained: Path) -> None:
    metrics = json.loads((trained / METRICS).read_text())
    card = (trained / MODEL_CARD).read_text()
    rows = re.findall(r"^\| (\w+), ([\d,]+) \| ([\w ]+) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|", card, re.MULTILINE)
    told = {(group, name.replace(" ", "_")): (rows, *map(float, errors)) for group, rows, name, *errors in rows}
    wanted = {
        (group, name): (f"{one['rows']:,}", *(round(one[figure], 4) for figure in ("mse", "rmse", "mae")))
        for group, by_predictor in metrics["metrics"].items()
        for name, one in by_predictor.items()
    }
    assert told == wanted
    assert re.findall("^## (.*)$", card, re.MULTILINE) == SECTIONS
    assert metrics["digest"] in card
    assert metrics["data"]["sha256"] in card
    assert f"{metrics['data']['ratings']:,} ratings, {metrics['data']['users']:,} users" in card


def test_the_card_tells_every_ranking_at_ten_and_what_the_served_one_is_worth(trained: Path) -> None:
    rankings = json.loads((trained / METRICS).read_text())["rankings"]
    card = (trained / MODEL_CARD).read_text()
    assert compare_with_popular(rankings) in card
    assert f"ranked for {rankings['users']:,} users" in card
    for measure in ("liked", "graded"):
        for metric in ("ndcg@10", "recall@10", "coverage@10", "novelty@10"):
            cells = " | ".join(as_text(figures[metric]) for figures in rankings[measure].values())
            assert f"| {metric} | {cells} |" in card


def test_the_archive_holds_the_card_that_training_wrote(trained: Path, tmp_path: Path) -> None:
    path = package(PackageConfig("2.3", trained / ARTIFACT, tmp_path))
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist().count(MODEL_CARD) == 1
        assert archive.read(MODEL_CARD).decode() == (trained / MODEL_CARD).read_text()


def test_an_artifact_with_little_metadata_gets_a_card(artifact: Artifact, tmp_path: Path) -> None:
    save_artifact(artifact, tmp_path / ARTIFACT)
    card = model_card(load_artifact(tmp_path / ARTIFACT).metadata)
    assert front_matter(card)["model-index"][0]["results"] == []
    assert "5 users, 6 movies" in card
    assert "no error is reported" in card


def test_string_ids_are_quoted_for_shell_and_python() -> None:
    metadata = {"num_users": 1, "num_movies": 1, "num_ratings": 1, "rating_scale": [1, 5], "digest": "d"}
    card = model_card({**metadata, "example": {"user_id": "o'neil", "movie_ids": ["$1"]}})
    assert """-d '{"user_id": "o'"'"'neil", "movie_id": "$1"}'""" in card
    assert """PairAsk("o'neil", '$1')""" in card


def test_the_card_of_an_update_names_the_measured_version_and_the_new_ratings() -> None:
    metadata = {
        "version": "1.1",
        "num_users": 3,
        "num_movies": 2,
        "num_ratings": 9,
        "rating_scale": [1, 10],
        "digest": "d" * 64,
        "metrics": {"known": {"network": {"mse": 1.0, "rmse": 1.0, "mae": 0.5, "rows": 4}}},
        "metrics_of": {"version": "1.0"},
        "updates": [{"data": {"file": "new.csv", "sha256": "5" * 64}, "ratings": 4, "new_users": 1, "new_movies": 0}],
    }
    card = model_card(metadata)
    assert "Measured on version 1.0, before the updates." in card
    assert f"`new.csv`, SHA-256 `{'5' * 64}`: 4 ratings, 1 new user, 0 new movies" in card
    assert "name: ncf-1.0" in card.split("---")[1]
