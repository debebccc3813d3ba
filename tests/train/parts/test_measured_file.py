"""A training by parts that is measured on a file of one's own: all ratings are trained on, and none of that file."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from model.archive import MODEL_CARD
from model.artifact import load_artifact
from model.ids import IdMap
from tests.e2e.project import free_ports
from tests.train.parts.conftest import Train
from train.__main__ import parse_options
from train.dataset.tensors import index_ratings, look_up_ratings
from train.errors import DataError
from train.evaluation.baselines import fit_baselines
from train.evaluation.report import ReportConfig, write_report
from train.output import MEASURED
from train.parts.config import PartsConfig
from train.parts.group import Group
from train.parts.load import Loaded, load_parts
from train.prepared.folder import PreparedFolder
from train.prepared.prepare import prepare
from train.readers import ReadingRules
from train.splitting import split_as_asked

KNOWN = 3  # rows of the test file that are trained on too


@pytest.fixture(scope="module")
def ratings(small_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ratings with times, from which the test file is taken."""
    frame = pd.read_csv(small_file).sample(frac=1, random_state=0).reset_index(drop=True)
    folder = tmp_path_factory.mktemp("own")
    frame = frame.assign(timestamp=10**9 + frame.index)
    frame[400:].to_csv(folder / "ratings.csv", index=False)
    strangers = pd.DataFrame({"user_id": [3, 10**8, 7], "movie_id": [1_001, 5, 5], "rating": [9, 1, 2]})
    later = frame[400 : 400 + KNOWN].assign(timestamp=10**9 + 5_000)  # rated again, so not the same rows
    mixed = pd.concat([frame[:400], strangers.assign(timestamp=10**9), frame[500 : 500 + KNOWN], later])
    mixed.to_csv(folder / "test.csv", index=False)
    return folder / "ratings.csv"


@pytest.fixture(scope="module")
def measured(train: Train, ratings: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    out = tmp_path_factory.mktemp("measured") / "1.0"
    return train(out, "--test-file", str(ratings.with_name("test.csv")), data=ratings)


def test_the_rows_of_the_file_are_measured_as_in_a_training_without_parts(
    measured: dict[str, Any], ratings: Path
) -> None:
    config = parse_options(["--data", str(ratings), "--test-file", str(ratings.with_name("test.csv"))], PartsConfig)
    sides = split_as_asked(config, config.read(ratings, None))
    rows = index_ratings(sides.train)
    assert sides.held_out is not None
    asked = look_up_ratings(sides.held_out, rows.user_ids, rows.movie_ids)
    told = measured["metrics"]["all"]
    assert told["network"]["rows"] == len(asked) == 400 + 3 + KNOWN
    columns = (rows.ratings.user_index.numpy(), rows.ratings.movie_index.numpy(), rows.ratings.rating.numpy())
    for name, model in fit_baselines(*columns, len(rows.user_ids), len(rows.movie_ids)).items():
        predicted = model.predict(asked.user_index.numpy(), asked.movie_index.numpy()).clip(1, 10)
        error = float(np.square(predicted - asked.rating.numpy()).mean())
        assert told[name]["mse"] == pytest.approx(error, rel=1e-5)
    assert told["network"]["mse"] < told["global_mean"]["mse"]
    new = np.bincount(rows.ratings.user_index.numpy(), minlength=len(rows.user_ids) + 1)[asked.user_index.numpy()] == 0
    assert measured["metrics"]["new_user"]["network"]["rows"] == int(new.sum())
    assert measured["rankings"]["users"] == 50


def test_all_ratings_are_trained_on_and_the_files_name_the_test_file(measured: dict[str, Any], ratings: Path) -> None:
    folder = measured["artifact"].parent
    assert not (folder / MEASURED).exists()
    assert len(load_artifact(measured["artifact"]).history.ratings) == len(pd.read_csv(ratings))
    split = measured["split"]
    assert (split["kind"], split["file"], split["served"]) == ("test-file", "test.csv", "train")
    [warning] = split["reading"]["warnings"]
    told = f"a row of {ratings} too, and trained on; rows like this: {KNOWN}, not measured; --copies keep measures them"
    assert warning == f"test.csv:405: {told}"
    words = "the ratings of the test file test.csv"
    assert words in (folder / MODEL_CARD).read_text()
    assert words in write_report(ReportConfig(folder)).read_text("utf-8")


def test_events_do_not_tell_what_is_measured(train: Train, ratings: Path, tmp_path: Path) -> None:
    asked = pd.read_csv(ratings.with_name("test.csv"))
    clicks = pd.concat([asked[["user_id", "movie_id"]][:50], pd.DataFrame({"user_id": [3], "movie_id": [1_001]})])
    clicks.to_csv(tmp_path / "clicks.csv", index=False)
    files = ("--test-file", str(ratings.with_name("test.csv")), "--events", str(tmp_path / "clicks.csv"))
    artifact = load_artifact(train(tmp_path / "1.0", *files, data=ratings)["artifact"])
    known = set(pd.read_csv(ratings)["user_id"])
    users = artifact.user_ids.ids[artifact.events.owners]
    assert known.isdisjoint(users.tolist())
    assert 3 in users


@pytest.fixture(scope="module")
def config(ratings: Path, tmp_path_factory: pytest.TempPathFactory) -> PartsConfig:
    """Options for prepared ratings and the test file."""
    folder = tmp_path_factory.mktemp("measured") / "prepared"
    prepare(ratings, ReadingRules(), None, folder, show=False)
    return PartsConfig(data=folder, test_file=ratings.with_name("test.csv"))


def loaded(config: PartsConfig, group: Group) -> Loaded:
    """The parts of the ratings, and what is measured of the test file."""
    folder = PreparedFolder(config.data)
    return load_parts(folder, IdMap(folder.items()), config, group)


def test_what_is_measured_does_not_depend_on_the_number_of_processes(config: PartsConfig) -> None:
    alone = loaded(config, Group()).parts
    [port] = free_ports(1)

    def one_of(rank: int) -> Loaded:
        return loaded(config, Group(f"tcp://127.0.0.1:{port}", rank, 3))

    with ThreadPoolExecutor(3) as threads:
        together = list(threads.map(one_of, range(3)))
    assert [one.test is None for one in together] == [False, True, True]
    for one, other in zip([part for found in together for part in found.parts], alone, strict=True):
        assert all(map(np.array_equal, one.measured, other.measured))


def test_rows_that_are_trained_on_are_measured_if_copies_are_kept(config: PartsConfig) -> None:
    parts = loaded(replace(config, copies="keep"), Group()).parts
    assert sum(len(part.measured.rating) for part in parts) == 400 + 3 + 2 * KNOWN


def test_a_file_that_is_all_trained_on_is_an_error(train: Train, ratings: Path, tmp_path: Path) -> None:
    pd.read_csv(ratings)[:9].to_csv(tmp_path / "test.csv", index=False)
    told = r"test.csv:2: a row of .*ratings.csv too, and trained on; rows like this: 9, which are all; allowed are rat"
    with pytest.raises(DataError, match=told):
        train(tmp_path / "1.0", "--test-file", str(tmp_path / "test.csv"), data=ratings)
