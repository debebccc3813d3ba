"""A whole run on every split: what is measured is what was held out, and the files name the split."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from model.archive import MODEL_CARD
from train.__main__ import main
from train.config import TrainConfig
from train.dataset.data import split_ratings
from train.errors import DataError
from train.evaluation.held_out import load_held_out
from train.evaluation.report import ReportConfig, write_report
from train.output import HELD_OUT, METRICS
from train.splitting import folds, split_as_asked


@pytest.fixture(scope="module")
def timed_file(small_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ratings with times: row by row a day later, from the last row of the file to the first."""
    ratings = pd.read_csv(small_file)
    ratings["timestamp"] = 86_400 * np.arange(len(ratings), 0, -1)
    path = tmp_path_factory.mktemp("timed") / "ratings.csv"
    ratings.to_csv(path, index=False)
    return path


def run(data: Path, out: Path, options: list[str]) -> dict[str, Any]:
    assert main(["--data", str(data), "--out", str(out), *options]) == 0
    metrics: dict[str, Any] = json.loads((out / METRICS).read_text())
    return metrics


SPLITS = {
    "time": (940, "the last 20 % of the rows by time"),
    "time-per-user": (900, "the last 20 % of each user's rows by time"),
    "leave-last-out": (300, "the last row by time of each user with two or more"),
    "users": (600, "all but 5 rows of 20 % of the users with more, users and rows drawn with seed 1234"),
}


@pytest.mark.parametrize("kind", SPLITS)
def test_errors_and_rankings_are_of_the_rows_that_the_split_holds_out(
    timed_file: Path, tmp_path: Path, quick_options: list[str], capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    number, words = SPLITS[kind]
    metrics = run(timed_file, tmp_path, ["--split", kind, *quick_options])
    assert metrics["metrics"]["all"]["network"]["rows"] == number
    assert metrics["rankings"]["users"] > 0
    assert metrics["split"]["kind"] == kind
    assert f"held out: {words}\n" in capsys.readouterr().out
    assert f"- **Held out to report on:** {words}; what is served was" in (tmp_path / MODEL_CARD).read_text()
    held_out = load_held_out(tmp_path / HELD_OUT, metrics["digest"])
    config = TrainConfig(split=kind)  # type: ignore[arg-type]
    again = split_as_asked(config, config.read(timed_file, None)).held_out
    assert again is not None
    assert held_out.truth.tolist() == again["rating"].tolist()


def test_the_report_names_the_split(timed_file: Path, tmp_path: Path, quick_options: list[str]) -> None:
    run(timed_file, tmp_path, ["--split", "leave-last-out", *quick_options])
    page = write_report(ReportConfig(tmp_path)).read_text(encoding="utf-8")
    assert f"Held out: {SPLITS['leave-last-out'][1]}; the network measured here" in page


def test_the_last_rows_by_time_are_not_those_of_the_file(timed_file: Path) -> None:
    config = TrainConfig(split="time")
    sides = split_as_asked(config, config.read(timed_file, None))
    assert sides.held_out is not None
    assert sides.held_out.index.tolist() == list(range(940))
    assert sides.train.index.tolist() == list(range(940, 4700))


def test_a_file_of_ones_own_is_measured_on_and_never_trained_on(
    small_file: Path, tmp_path: Path, quick_options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    test = tmp_path / "own.csv"
    test.write_text("user_id,movie_id,rating\n0,1000,7\n7,1001,8\n14,1002,4\n77777,1003,5\n")
    metrics = run(small_file, tmp_path / "out", ["--test-file", str(test), *quick_options])
    rows = {group: by_predictor["network"]["rows"] for group, by_predictor in metrics["metrics"].items()}
    assert rows == {"known": 3, "all": 4, "new_user": 1}
    digest = hashlib.sha256(test.read_bytes()).hexdigest()
    split = {name: value for name, value in metrics["split"].items() if name != "reading"}
    assert split == {"kind": "test-file", "file": "own.csv", "sha256": digest, "served": "train"}
    told = capsys.readouterr().out
    assert "held out: the ratings of the test file own.csv\n" in told
    assert "own.csv: text in utf-8, comma between fields, a header line\n" in told
    assert "the ratings of the test file own.csv" in (tmp_path / "out" / MODEL_CARD).read_text()
    same = run(small_file, tmp_path / "same", ["--test-size", "0", *quick_options])
    assert same["rows_per_s"] > 0
    checkpoints = [(tmp_path / name / "checkpoint.safetensors").read_bytes() for name in ("out", "same")]
    assert checkpoints[0] == checkpoints[1]  # what is served saw all of the data, and nothing of the test file


def test_a_test_file_keeps_the_type_of_the_datas_ids(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("user_id,movie_id,rating\na,007,3\nb,8,4\nb,007,5\n")
    (tmp_path / "t.csv").write_text("user_id,movie_id,rating\na,8,4\n")
    config = TrainConfig(test_file=tmp_path / "t.csv", rating_scale=(1, 5))
    sides = split_as_asked(config, config.read(tmp_path / "r.csv", config.rating_scale))
    assert sides.held_out is not None
    assert sides.held_out["movie_id"].tolist() == ["8"]


def test_rows_of_a_test_file_that_are_trained_on_are_not_measured(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("user_id,movie_id,rating\n1,7,3\n2,8,4\n2,7,5\n")
    (tmp_path / "t.csv").write_text("user_id,movie_id,rating\n1,8,4\n2,8,4\n2,7,1\n")
    config = TrainConfig(test_file=tmp_path / "t.csv", rating_scale=(1, 5))
    data = config.read(tmp_path / "r.csv", config.rating_scale)
    sides = split_as_asked(config, data)
    assert sides.held_out is not None
    assert sides.held_out.to_numpy().tolist() == [[1, 8, 4], [2, 7, 1]]
    [warning] = sides.described["reading"]["warnings"]
    assert warning.startswith("t.csv:3: a row of r.csv too, and trained on; rows like this: 1, not measured")
    kept = split_as_asked(replace(config, copies="keep"), data)
    assert kept.held_out is not None
    assert len(kept.held_out) == 3
    (tmp_path / "t.csv").write_text("user_id,movie_id,rating\n2,8,4\n2,7,5\n")
    with pytest.raises(DataError, match="rows like this: 2, which are all"):
        split_as_asked(config, data)


def test_ratings_of_one_movie_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "r.csv").write_text("user_id,product_id,rating\n1,7,3\n2,7,4\n")
    words = ["--data", str(tmp_path / "r.csv"), "--out", str(tmp_path / "out"), "--test-size", "0"]
    assert main([*words, "--item", "product"]) == 2
    assert (
        "train: r.csv: all ratings are of one product, 7; at least 2 products are needed\n" in capsys.readouterr().err
    )


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--split", "time"], "ratings.csv: no times, and --split time needs one for every rating: name"),
        (["--split", "users", "--given", "15"], "ratings.csv: this split holds out 0 of 4,700 rows; allowed is"),
        (["--folds", "5000"], "ratings.csv: 4,700 ratings are too few for --folds 5000"),
        (["--test-file", "none.csv"], "none.csv"),
    ],
)
def test_what_cannot_be_split_is_refused_before_anything_is_written(
    small_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], told: str
) -> None:
    assert main(["--data", str(small_file), "--out", str(tmp_path / "out"), *options]) == 2
    assert told in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"given": 0}, "given: got 0, allowed: at least 1"),
        ({"folds": 1}, "folds: got 1, allowed: 0, or at least 2"),
        ({"split": "time", "test_file": Path("t.csv")}, "split: got time, with --test-file, allowed: none of the two"),
    ],
)
def test_options_that_ask_for_no_split_are_refused(options: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        TrainConfig(**options)


def test_folds_hold_out_every_rating_once(small_file: Path) -> None:
    config = TrainConfig(folds=4)
    data = config.read(small_file, None)
    parts = list(folds(config, data))
    held_out = pd.concat([held_out for _, held_out in parts])
    assert sorted(held_out.index) == list(range(len(data.ratings)))
    assert all(set(train.index).isdisjoint(rows.index) and len(train) + len(rows) == 4700 for train, rows in parts)


def test_cross_validation_tells_mean_and_deviation_over_the_folds(
    small_file: Path, tmp_path: Path, quick_options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    metrics = run(small_file, tmp_path, ["--folds", "3", *quick_options])
    told = metrics["cross_validation"]
    assert told["folds"] == 3
    network, mean = (told["errors"]["known"][name]["mse"] for name in ("network", "global_mean"))
    assert 0 < network["deviation"] < network["mean"] < mean["mean"]
    assert "mean ± standard deviation over 3 folds, known rows:" in capsys.readouterr().out
    page = write_report(ReportConfig(tmp_path)).read_text(encoding="utf-8")
    assert f"<td>{network['mean']:.4f} <span>± {network['deviation']:.4f}</span></td>" in page
    card = (tmp_path / MODEL_CARD).read_text(encoding="utf-8")
    assert f"| network | {network['mean']:.4f} ± {network['deviation']:.4f} |" in card
    single = run(small_file, tmp_path / "single", quick_options)
    assert "Cross-validation" not in (tmp_path / "single" / MODEL_CARD).read_text(encoding="utf-8")
    assert single["metrics"] == metrics["metrics"]
    assert single["digest"] == metrics["digest"]


def test_the_default_split_is_the_references_row_for_row(timed_file: Path) -> None:
    config = TrainConfig()
    data = config.read(timed_file, None)
    sides, reference = split_as_asked(config, data), split_ratings(data.ratings)
    pd.testing.assert_frame_equal(sides.train, reference.train)
    assert sides.held_out is not None
    pd.testing.assert_frame_equal(sides.held_out, reference.validation)
