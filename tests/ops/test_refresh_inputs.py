"""The options of a nightly training come from the served version."""

import json
import zipfile
from pathlib import Path

import pytest

import train.config
from ops.build.recipe import Recipe, write_recipe
from ops.build.shelf import Shelf
from ops.refresh.inputs import SPLITS_BY_TIME, training_of
from ops.refresh.journal import Journal

OWN = {"item": "product", "tags": "categories"}


def version(tmp_path: Path, recipe: Recipe) -> Shelf:
    shelf = Shelf(tmp_path / "build", tmp_path / "model-store")
    shelf.folder("1.0").mkdir(parents=True)
    with zipfile.ZipFile(shelf.artifact("1.0"), "w") as file:
        file.writestr("ncf/extra/metadata.json", json.dumps({"vocabulary": OWN}))
    write_recipe(shelf.folder("1.0"), recipe)
    return shelf


JOURNAL = Journal("1.1", "1.0", "train", "why", "ratings.csv", 600, 0.1, "2026-01-31T03:00:00Z")
SPLIT = "--split time --test-size 0.100000"
PAST = f"--tune-for past {SPLIT}"


def test_a_training_after_an_adopted_version_keeps_its_words(tmp_path: Path) -> None:
    shelf = version(tmp_path, Recipe("adopt", {"MODEL": "net.pt", "ITEM": "product"}, {}))
    asked = {"ITEM": "product", "TAGS": "categories", "DATA": "ratings.csv", "TRAIN_ARGS": PAST, "VERSION": "1.1"}
    assert training_of(JOURNAL, shelf) == {**asked, "CLUSTER": ""}


def test_a_training_after_a_trained_version_has_its_options(tmp_path: Path) -> None:
    options = {"DATA": "old.csv", "PRESET": "mlp", "TRAIN_ARGS": "--item product --split users --seed 3"}
    shelf = version(tmp_path, Recipe("train", options, {}))
    assert training_of(JOURNAL, shelf) == {
        "PRESET": "mlp",
        "CLUSTER": "",
        "DATA": "ratings.csv",
        "TRAIN_ARGS": f"--item product --seed 3 {PAST}",
        "VERSION": "1.1",
    }


def test_a_training_after_one_on_a_cluster_is_without(tmp_path: Path) -> None:
    options = {"DATA": "old.csv", "PRESET": "default", "TRAIN_ARGS": "--deadline 600 --seed 3", "CLUSTER": "auto"}
    training = training_of(JOURNAL, version(tmp_path, Recipe("train", options, {})))
    assert training["CLUSTER"] == ""
    assert training["TRAIN_ARGS"] == f"--seed 3 {PAST}"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", PAST),
        ("--split random --test-size 0.3", PAST),
        ("--split time", f"--tune-for future {SPLIT}"),
        ("--split=leave-last-out", f"--tune-for future {SPLIT}"),
        ("--tune-for=future", f"--tune-for=future {SPLIT}"),
        ("--split time --tune-for past", f"--tune-for past {SPLIT}"),
    ],
)
def test_a_night_tunes_for_what_the_version_before_was_tuned_for(tmp_path: Path, before: str, after: str) -> None:
    shelf = version(tmp_path, Recipe("train", {"DATA": "old.csv", "PRESET": "default", "TRAIN_ARGS": before}, {}))
    assert training_of(JOURNAL, shelf)["TRAIN_ARGS"] == after


def test_both_rooms_know_the_same_splits_by_time() -> None:
    assert SPLITS_BY_TIME == train.config.SPLITS_BY_TIME
