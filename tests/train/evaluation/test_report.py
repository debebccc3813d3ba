"""The page on a version: all in one file, the run's own figures in it, and nothing trained again."""

import json
import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from model.artifact import load_artifact, save_artifact
from tests.train.evaluation.test_against import VERDICT
from train.__main__ import main as train
from train.errors import DataError
from train.evaluation.diagnosis import errors_by_count, level_reliability, log_counts, reliability, truth_levels
from train.evaluation.evaluate import NETWORK, errors
from train.evaluation.held_out import HeldOut, load_held_out, save_held_out
from train.evaluation.ranking_words import as_text, compare_with_popular
from train.evaluation.report import ReportConfig, error_tables, main, write_report
from train.output import ARTIFACT, HELD_OUT, METRICS
from train.update.__main__ import main as update

MLP = ["--preset", "mlp", "--mlp.epochs", "1", "--mlp.batch-size", "4096"]


class Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.sources: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.sources += [str(value) for name, value in attrs if name in {"src", "srcset", "href"}]


@pytest.fixture(scope="module")
def trained(small_file: Path, tmp_path_factory: pytest.TempPathFactory, quick_options: list[str]) -> Path:
    folder = tmp_path_factory.mktemp("report")
    assert train(["--data", str(small_file), "--out", str(folder), *quick_options]) == 0
    return folder


def test_the_page_stands_alone_and_tells_the_runs_figures(
    trained: Path, small_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--folder", str(trained), "--data", str(small_file)]) == 0
    assert capsys.readouterr().out == f"wrote {trained / 'report.html'}\n"
    page = (trained / "report.html").read_text(encoding="utf-8")
    links = Links()
    links.feed(page)
    assert len(links.sources) == 2 * 9
    assert all(source.startswith("data:image/png;base64,") for source in links.sources)
    assert not {"script", "link", "iframe"} & set(links.tags)
    assert "url(" not in page
    assert len(list((trained / "report").glob("*.png"))) == 2 * 9
    metrics = json.loads((trained / METRICS).read_text())
    for by_predictor in metrics["metrics"].values():
        for figures in by_predictor.values():
            cells = "".join(f"<td>{figures[name]:.4f}</td>" for name in ("mse", "rmse", "mae"))
            assert cells in page
    for measure in ("liked", "graded"):
        for metric in ("ndcg@5", "recall@10", "hit_rate@20", "popularity@10"):
            cells = "".join(f"<td>{as_text(one[metric])}</td>" for one in metrics["rankings"][measure].values())
            assert f"<td>{metric}</td>{cells}" in page
    assert compare_with_popular(metrics["rankings"]) in page
    assert metrics["data"]["sha256"] in page
    assert f"{metrics['data']['users']:,}, {metrics['data']['movies']:,}" in page
    assert "REPORT_ARGS=--reference" in page


def test_the_held_out_file_gives_the_reported_errors_again(trained: Path) -> None:
    metrics = json.loads((trained / METRICS).read_text())
    held_out = load_held_out(trained / HELD_OUT, metrics["digest"])
    for group, mask in held_out.groups().items():
        for name, figures in metrics["metrics"].get(group, {}).items():
            again = errors(held_out.predictions[name][mask], held_out.truth[mask])
            assert again["mse"] == pytest.approx(figures["mse"])
            assert again["rows"] == figures["rows"]
    assert held_out.level_probability.shape == (len(held_out), len(held_out.level_value))
    assert held_out.level_probability.astype(np.float64).sum(1) == pytest.approx(1, abs=0.01)


def test_the_reference_is_trained_when_asked_and_kept(trained: Path, small_file: Path) -> None:
    write_report(ReportConfig(trained, reference=True, data=small_file))
    page = write_report(ReportConfig(trained)).read_text(encoding="utf-8")
    assert "reference network</td>" in page
    assert "REPORT_ARGS=--reference" not in page
    metrics = json.loads((trained / METRICS).read_text())
    held_out = load_held_out(trained / HELD_OUT, metrics["digest"])
    lines = dict(error_tables(metrics["metrics"], held_out))["Known users and movies"]
    assert [line.name for line in lines] == ["global_mean", "movie_mean", "shrunken_bias", "reference", "network"]
    assert lines[3].figures["standard_error"] > 0


def test_the_reference_is_not_trained_on_other_data(trained: Path, small_file: Path, tmp_path: Path) -> None:
    other = tmp_path / "ratings.csv"
    other.write_text(small_file.read_text() + "1,1,5\n")
    with pytest.raises(DataError, match="SHA-256"):
        write_report(ReportConfig(trained, reference=True, data=other))


@pytest.mark.parametrize(("options", "images"), [(MLP, 8), (["--test-size", "0"], 4)])
def test_a_version_without_levels_or_without_held_out_rows_has_a_page(
    small_file: Path, tmp_path: Path, quick_options: list[str], options: list[str], images: int
) -> None:
    own = options if "--preset" in options else [*quick_options, *options]
    assert train(["--data", str(small_file), "--out", str(tmp_path), *own]) == 0
    page = write_report(ReportConfig(tmp_path)).read_text(encoding="utf-8")
    assert len(re.findall("<figure>", page)) == images
    assert ("No ratings were held out" in page) == ("--test-size" in options)


def test_an_updated_version_is_reported_only_beside_another_version(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "new.csv").write_text("user_id,movie_id,rating\n1,1002,9\n")
    options = ["--ratings", str(tmp_path / "new.csv"), "--base", str(trained / ARTIFACT), "--version", "1.1"]
    assert update([*options, "--out", str(tmp_path / "1.1")]) == 0
    assert main(["--folder", str(tmp_path / "1.1")]) == 2
    told = capsys.readouterr().err
    assert told.startswith(f"report: {tmp_path / '1.1'}: version 1.0 with new ratings taken in, none of them held out")
    assert told.endswith("`make report VERSION=... WITH=...` shows this version beside another one\n")
    verdict = tmp_path / "verdict.json"
    verdict.write_text(json.dumps(VERDICT))
    assert main(["--folder", str(tmp_path / "1.1"), "--verdict", str(verdict)]) == 0
    page = (tmp_path / "1.1" / "report.html").read_text(encoding="utf-8")
    assert '<p class="soft">Version 1.0 with new ratings taken in, none of them held out' in page
    assert "<h2>Beside version 1.0</h2>" in page
    assert "<h3>Verdict: promote</h3>" in page
    assert "Errors on held-out ratings" not in page
    assert main(["--folder", str(tmp_path / "1.1"), "--verdict", str(verdict), "--reference"]) == 2
    assert "leave --reference out" in capsys.readouterr().err


def test_an_adopted_network_is_reported_beside_another_version(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    artifact = load_artifact(trained / ARTIFACT)
    adopted = {"file": "net.pt", "sha256": "0" * 64, "output": "rating"}
    save_artifact(replace(artifact, metadata={"version": "1.1", "adopted": adopted}), tmp_path / ARTIFACT)
    assert main(["--folder", str(tmp_path)]) == 2
    assert "its network was trained elsewhere" in capsys.readouterr().err
    (tmp_path / "verdict.json").write_text(json.dumps(VERDICT))
    page = write_report(ReportConfig(tmp_path, verdict=tmp_path / "verdict.json")).read_text(encoding="utf-8")
    assert "<td>-0.1500 <span>-0.2000 to -0.1000</span></td>" in page


def test_an_artifact_alone_has_no_report(trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy(trained / ARTIFACT, tmp_path)
    assert main(["--folder", str(tmp_path)]) == 2
    assert capsys.readouterr().err == f"report: {tmp_path / METRICS}: no such file: train this version again\n"


def test_files_of_two_runs_are_not_mixed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    none = np.zeros(2, dtype=np.int32)
    held_out = HeldOut(none, none, none, none, {NETWORK: none})
    save_held_out(held_out, tmp_path / HELD_OUT, "a" * 64)
    with pytest.raises(DataError, match="of another run"):
        load_held_out(tmp_path / HELD_OUT, "b" * 64)
    (tmp_path / HELD_OUT).write_bytes(b"broken")
    with pytest.raises(DataError, match="not readable"):
        load_held_out(tmp_path / HELD_OUT, "a" * 64)
    assert main(["--folder", str(tmp_path)]) == 2
    assert "train this version first" in capsys.readouterr().err


def test_a_sample_keeps_rows_together() -> None:
    row = np.arange(1000)
    held_out = HeldOut(row, row, row, row.astype(np.float32), {NETWORK: row}, np.ones(2), np.ones(1), row[:, None])
    sample = held_out.sample(10)
    assert len(sample) == 10
    assert np.array_equal(sample.row, sample.predictions[NETWORK])
    assert np.array_equal(sample.row, sample.level_probability[:, 0])
    assert held_out.sample(1000) is held_out


def test_errors_by_count_join_thin_bins_and_lose_no_row() -> None:
    counts = np.array([0] * 40 + [1] * 5 + [2] * 40 + [70])
    truth = np.zeros(len(counts))
    bins = errors_by_count(counts, truth, {NETWORK: counts.astype(np.float64)})
    assert [(one.label, one.rows) for one in bins] == [("0", 40), ("1–2", 45), ("3–70", 1)]
    assert bins[0].errors[NETWORK] == (0.0, 0.0)
    assert bins[1].errors[NETWORK][0] == pytest.approx((5 + 160) / 45)


def test_honest_forecasts_lie_on_the_diagonal() -> None:
    random = np.random.default_rng(0)
    said = random.random(50_000)
    bins = reliability(said, (random.random(50_000) < said).astype(np.float64))
    assert bins.gap < 0.01
    assert int(bins.rows.sum()) == 50_000
    levels = level_reliability(np.tile([0.25, 0.75], (4000, 1)), (random.random(4000) < 0.75).astype(np.int64), bins=2)
    assert levels.said.tolist() == pytest.approx([0.25, 0.75])
    assert levels.happened.tolist() == pytest.approx([0.25, 0.75], abs=0.03)


def test_levels_and_counts_are_binned_where_they_are_many() -> None:
    assert [part.tolist() for part in truth_levels(np.array([3.0, 1.0, 3.0]))] == [[1.0, 3.0], [1, 0, 1]]
    values, level = truth_levels(np.linspace(0, 16, 1000))
    assert len(values) == 16
    assert (level.min(), level.max()) == (0, 15)
    labels, numbers = log_counts(np.array([0, 1, 1, 3, 9]))
    assert (labels, numbers.tolist()) == (["1", "2–3", "4–7", "8–15"], [2, 1, 0, 1])
