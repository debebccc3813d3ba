"""A training by parts: its result is that of a training without, and one whatever the files, and after a kill."""

import json
import shutil
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest
import torch

from model.artifact import load_artifact
from model.factor_network import FactorNetwork
from tests.train.parts.conftest import Train
from tests.train.parts.killing import killed_after
from train.__main__ import main, parse_options
from train.dataset.tensors import index_ratings, look_up_ratings
from train.errors import DataError
from train.evaluation.report import ReportConfig, write_report
from train.factors.method import FACTORS
from train.fit_log import FitLog
from train.method import Choice
from train.output import MEASURED
from train.parts import fit as fitting
from train.parts.config import PartsConfig
from train.parts.group import Group
from train.parts.job import Job
from train.predict import predict
from train.prepared.prepare import prepare
from train.readers import ReadingRules
from train.resume import NO_STAGES


def test_it_predicts_what_a_training_without_parts_does(
    usual: dict[str, Any], small_file: Path, quick_options: list[str]
) -> None:
    artifact = load_artifact(usual["artifact"])
    frame = pd.read_csv(small_file)
    rows = index_ratings(frame)
    config = parse_options(quick_options, PartsConfig)
    settings = {name: usual["chosen"][name] for name in ("noise", "sweeps", "factors")}
    without = FACTORS.fit(rows, artifact.scale, config, Choice(settings, FitLog()), "test", NO_STAGES)
    theirs = predict(without.network, rows.ratings, artifact.scale)
    ours = predict(artifact.network, look_up_ratings(frame, artifact.user_ids, artifact.movie_ids), artifact.scale)
    difference = (ours - theirs).abs() / artifact.scale.span
    assert float(difference.mean()) < 0.001
    assert float(difference.max()) < 0.005
    errors = [float((one - rows.ratings.rating).square().mean()) for one in (ours, theirs)]
    assert errors[0] == pytest.approx(errors[1], rel=0.005)


def test_the_artifact_can_be_reported_on_and_knows_everybody(usual: dict[str, Any], small_file: Path) -> None:
    folder = usual["artifact"].parent
    assert write_report(ReportConfig(folder=folder)).is_file()
    artifact, measured = load_artifact(usual["artifact"]), load_artifact(folder / MEASURED)
    frame = pd.read_csv(small_file)
    assert artifact.user_ids.ids.tolist() == sorted(set(frame["user_id"]))
    history = artifact.history
    row = artifact.user_ids.rows([7 * 11])[0]
    own = frame[frame["user_id"] == 77].sort_values("movie_id")
    assert artifact.movie_ids.raw(history.of_user(row)[0]) == own["movie_id"].tolist()
    assert history.of_user(row)[1].tolist() == own["rating"].tolist()
    held_out = usual["metrics"]["all"]["network"]["rows"]
    assert len(measured.history.ratings) + held_out == len(history.ratings) == len(frame)
    written = json.loads((folder / "metrics.json").read_text())
    assert written["digest"] == artifact.metadata["digest"] == usual["digest"]
    assert written["data"]["ratings_per_user"]["min"] == 1
    assert written["data"]["repeated_pairs"] == int(frame.duplicated(["user_id", "movie_id"]).sum())
    assert "sha256" not in written["data"]
    assert "- **File:** `" in (folder / "MODEL_CARD.md").read_text()
    assert not list(folder.glob(".*"))  # neither stages nor tables are left


def test_the_unknown_user_has_the_row_of_an_empty_history(usual: dict[str, Any]) -> None:
    network = cast(FactorNetwork, load_artifact(usual["artifact"]).network)
    nothing = torch.zeros(0)
    expected = network.encode_user(nothing.long(), nothing)
    assert torch.equal(network.state_dict()["user_embedding.weight"][-1], expected)
    assert expected.any()


def test_shuffled_and_recut_files_give_the_same_model(
    usual: dict[str, Any], train: Train, small_file: Path, tmp_path: Path
) -> None:
    frame = pd.read_csv(small_file).sample(frac=1, random_state=5)
    for number, part in enumerate(np.array_split(np.arange(len(frame)), 3)):
        frame.iloc[part].to_csv(tmp_path / f"part-{number}.csv", index=False)
    prepare(tmp_path, ReadingRules(), None, tmp_path / "prepared")
    again = train(tmp_path / "1.0", data=tmp_path / "prepared")
    assert again["digest"] == usual["digest"]
    assert again["metrics"] == usual["metrics"]


@pytest.mark.parametrize("after", [9, 20, 53])
def test_a_killed_training_goes_on_to_the_same_model(
    usual: dict[str, Any], train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    solved = killed_after(after, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "1.0")
    assert not (tmp_path / "1.0" / "ncf.pt").exists()
    assert train(tmp_path / "1.0", "--resume")["digest"] == usual["digest"]
    own = len(solved) - after
    whole = 8 * 2 * (usual["chosen"]["sweeps"] + 3)
    assert own <= whole - 8 * (after // 8)  # finished sweeps are not done again


def test_a_killed_training_on_other_data_is_not_gone_on_with(
    train: Train, small_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(fitting, "sweep", killed)
        with pytest.raises(KeyboardInterrupt):
            train(tmp_path / "1.0")
    frame = pd.read_csv(small_file)
    fewer = frame[: len(frame) // 2]
    fewer.to_csv(tmp_path / "fewer.csv", index=False)
    resumed = train(tmp_path / "1.0", "--resume", data=tmp_path / "fewer.csv")
    assert resumed["data"]["ratings"] == len(fewer.drop_duplicates())
    assert resumed["data"]["file"].endswith("fewer.csv")


def test_more_processes_than_parts_are_refused(small_file: Path, tmp_path: Path) -> None:
    class Many(Group):
        def __init__(self) -> None:
            super().__init__()
            self.world = 9

    prepare(small_file, ReadingRules(), None, tmp_path / "prepared")
    config = parse_options(["--data", str(tmp_path / "prepared"), "--out", str(tmp_path / "1.0")], PartsConfig)
    with pytest.raises(DataError, match=r"prepared: 8 parts for 9 processes; allowed: PROCESSES=8 or fewer"):
        Job.of(config, str(config.data), Many())


def test_a_prepared_folder_that_lacks_a_file_is_refused(train: Train, small_file: Path, tmp_path: Path) -> None:
    prepare(small_file, ReadingRules(), None, tmp_path / "prepared", show=False)
    shutil.rmtree(tmp_path / "prepared" / "ratings" / "part=3")
    told = r"prepared: its parts have [\d,]+ ratings, and manifest\.json says [\d,]+: a file is missing"
    with pytest.raises(DataError, match=told):
        train(tmp_path / "1.0", data=tmp_path / "prepared")


def test_a_version_by_parts_has_no_reference_line(usual: dict[str, Any], small_file: Path) -> None:
    with pytest.raises(DataError, match="--reference: this version was trained by parts; allowed is one trained wit"):
        write_report(ReportConfig(folder=usual["artifact"].parent, reference=True, data=str(small_file)))


def test_without_a_held_out_share_nothing_is_measured(train: Train, tmp_path: Path) -> None:
    metrics = train(tmp_path / "1.0", "--test-size", "0")
    assert metrics["metrics"] == {}
    assert metrics["rankings"] == {}
    assert write_report(ReportConfig(folder=tmp_path / "1.0")).is_file()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--architecture", "mlp"], "architecture: got mlp, allowed in a training by parts: factors"),
        (["--folds", "5"], "folds: got 5, allowed in a training by parts: 0"),
        (["--data", "postgresql://me@host/db"], "a database is not trained on by parts"),
    ],
)
def test_what_needs_all_ratings_in_one_place_is_refused(
    options: list[str], told: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parse_options(options, PartsConfig)
    assert told in " ".join(capfd.readouterr().err.replace("│", "").split())


def test_a_prepared_folder_is_named_where_it_cannot_be_read(
    small_file: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    prepare(small_file, ReadingRules(), None, tmp_path / "prepared")
    assert main(["--data", str(tmp_path / "prepared"), "--out", str(tmp_path / "1.0")]) == 2
    assert capfd.readouterr().err.endswith("`make train CLUSTER=local` trains on it, part by part\n")
