"""The frame of the GPU check: what is late is stopped, what fails is said, and what was found is kept.

No GPU is needed: the sections here are small modules in gpu_sections, each with a fault of its own.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import psutil
import pytest
import torch

from bench.gpu import __main__ as program
from bench.gpu.__main__ import main
from bench.gpu.frame import Finished, run_section, run_sections
from bench.gpu.report import report
from bench.gpu.section import Context, Row, Section, failed, left_out, measured, passed
from bench.gpu.sections import SECTIONS
from bench.gpu.tests import rows_of
from model.artifact import Artifact, save_artifact
from tests.waiting import wait_until

ENOUGH_S = 300.0


def section(name: str) -> Section:
    return Section(name, f"tests.bench.gpu_sections.{name}", 10)


def context(folder: Path, seconds: float = ENOUGH_S) -> Context:
    return Context("cpu", True, folder / "ncf.pt", None, time.time() + seconds)


def test_section_gives_its_rows_and_nothing_that_it_prints(tmp_path: Path) -> None:
    found = run_section(section("good"), context(tmp_path), ENOUGH_S)
    assert found.rows == [
        measured("speed", 1234.5, "pairs/s", "on cpu, small: True"),
        passed("a test"),
        left_out("two cards", "this machine has one"),
    ]
    assert (found.failures, found.limit_s) == (0, ENOUGH_S)


def test_late_section_is_stopped_with_all_its_processes_and_keeps_its_rows(tmp_path: Path) -> None:
    found = run_section(section("late"), context(tmp_path), 15)
    process, stopped = found.rows
    assert process.what == "process"
    assert (stopped.outcome, stopped.note) == ("failed", "stopped after 10 s; what it had found by then is above")
    assert process.figure is not None
    pid = int(process.figure)
    wait_until(lambda: not psutil.pid_exists(pid), "the end of the process that the section had started")


def test_late_section_is_told_to_stop_before_it_is_killed(tmp_path: Path) -> None:
    found = run_section(section("cleaning"), context(tmp_path), 15)
    assert [row.outcome for row in found.rows] == ["passed", "failed"]
    assert (tmp_path / "ncf.pt.cleaned").exists()


def test_failing_section_says_why_and_keeps_its_rows(tmp_path: Path) -> None:
    found = run_section(section("crashing"), context(tmp_path), ENOUGH_S)
    reason = "ended with status 1: RuntimeError: the card is gone, on cpu"
    assert found.rows == [measured("before", 1.0, "s"), failed("crashing", reason)]


def test_section_that_finds_nothing_has_failed(tmp_path: Path) -> None:
    assert run_section(section("silent"), context(tmp_path), ENOUGH_S).rows == [failed("silent", "found nothing")]


def test_missing_section_has_failed(tmp_path: Path) -> None:
    [row] = run_section(section("absent"), context(tmp_path), ENOUGH_S).rows
    assert "No module named 'tests.bench.gpu_sections.absent'" in row.note


def test_time_that_a_section_does_not_need_goes_to_the_later_ones(tmp_path: Path) -> None:
    first, second = run_sections([section("good"), section("good")], context(tmp_path, 100), tell=lambda _: None)
    assert first.limit_s == pytest.approx(50, abs=2)
    assert second.limit_s == pytest.approx(100 - first.seconds, abs=2)


def test_section_without_time_is_left_out(tmp_path: Path) -> None:
    [found] = run_sections([section("good")], context(tmp_path, 5), tell=lambda _: None)
    assert found.rows == [left_out("good", "no time was left for it")]


def test_budget_is_eight_minutes_and_every_section_has_a_share() -> None:
    assert program.BUDGET_S == 480
    assert min(one.share_s for one in SECTIONS) >= 60
    assert sum(one.share_s for one in SECTIONS) <= program.BUDGET_S


@pytest.fixture
def saved(artifact: Artifact, tmp_path: Path) -> Path:
    path = tmp_path / "ncf.pt"
    save_artifact(artifact, path)
    return path


def test_check_writes_one_file_with_every_row_and_prints_one_table(
    saved: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    options = ["--artifact", str(saved), "--device", "cpu", "--small", "--out", str(out)]
    assert main(options, [section("good"), section("crashing")]) == 1
    told = json.loads((out / "gpu.json").read_bytes())
    assert (told["device"], told["card"], told["small"]) == ("cpu", {}, True)
    assert [one["name"] for one in told["sections"]] == ["good", "crashing"]
    rows = [Row(**row) for one in told["sections"] for row in one["rows"]]
    assert [row.outcome for row in rows] == ["measured", "passed", "left out", "measured", "failed"]
    assert "A trial on the processor" in (out / "gpu.md").read_text()
    printed = capsys.readouterr().out
    assert printed.count("| section | what | result | note |") == 1
    assert "| good | speed | 1,234 pairs/s | on cpu, small: True |" in printed
    assert (
        "| crashing | crashing | **failed** | ended with status 1: RuntimeError: the card is gone, on cpu |" in printed
    )


def test_trial_on_the_processor_replaces_no_figures(
    saved: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    told: list[argparse.Namespace] = []
    monkeypatch.setattr(program, "publish", lambda *arguments: told.append(arguments[-1]))
    assert main(["--artifact", str(saved), "--device", "cpu"], [section("good")]) == 0
    assert [options.write_nothing for options in told] == [True]
    capsys.readouterr()


def test_without_a_gpu_the_check_says_how_to_try_it(
    saved: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(SystemExit):
        main(["--artifact", str(saved)])
    assert "`--device cpu --small` tries the check on the processor" in capsys.readouterr().err


def test_report_names_the_card() -> None:
    card = {"name": "H", "number": 1, "memory_gib": 80.0, "capability": "9.0", "cuda": "13.0", "driver": "580"}
    found = [Finished("tests", [passed("one")], 3.0, 10.0)]
    text = report(Context("cuda", False, Path("ncf.pt"), None, 0.0), card, found)
    assert text.startswith("1 x H, 80.0 GiB, compute capability 9.0, CUDA 13.0, driver 580.\n")
    assert text.endswith("0 measured, 1 passed, 0 failed, 0 left out. Time: tests 3 s.")


REPORT = """<testsuites><testsuite>
<testcase name="test_ratings_are_the_same[TF32 off-mlp]"><properties>
<property name="figure: largest difference" value="1.5e-06 rating units"/></properties></testcase>
<testcase name="test_gpu_id_is_honoured[1]"><skipped message="GPUs of this machine: 1">there</skipped></testcase>
<testcase name="test_similar"><failure message="assert 1 == 2&#10; | more">trace</failure></testcase>
<testcase name="test_fold_in"><error message="failed on setup">trace</error></testcase>
</testsuite></testsuites>"""


def test_rows_of_tests_are_their_outcomes_and_figures() -> None:
    assert list(rows_of(REPORT)) == [
        passed("ratings are the same[TF32 off-mlp]"),
        measured("ratings are the same[TF32 off-mlp]: largest difference", 1.5e-6, "rating units"),
        left_out("gpu id is honoured[1]", "GPUs of this machine: 1"),
        failed("similar", "assert 1 == 2 / more"),
        failed("fold in", "failed on setup"),
    ]
