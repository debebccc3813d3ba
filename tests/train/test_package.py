import json
import subprocess
import zipfile
from pathlib import Path

import pytest

from model.artifact import Artifact, ArtifactError, save_artifact
from train.package import PackageConfig, package


def test_an_archive_carries_artifact_code_and_settings(artifact: Artifact, tmp_path: Path) -> None:
    save_artifact(artifact, tmp_path / "ncf.pt")
    path = package(PackageConfig("2.1", tmp_path / "ncf.pt", tmp_path / "store"))
    assert path == tmp_path / "store" / "ncf-2.1.mar"
    assert list(path.parent.iterdir()) == [path]
    with zipfile.ZipFile(path) as archive:
        names = set(archive.namelist())
        manifest = json.loads(archive.read("MAR-INF/MANIFEST.json"))["model"]
    wanted = {"ncf.pt", "ncf_handler.py", "model-config.yaml", "model/artifact.py", "handler/codec.py"}
    assert wanted <= names
    assert not any(name.startswith(("train/", "tests/", "ops/")) or "__pycache__" in name for name in names)
    assert "handler/ncf_handler.py" not in names  # one class in one file: TorchServe's own rule
    assert manifest["modelName"] == "ncf"
    assert manifest["modelVersion"] == "2.1"
    assert manifest["handler"] == "ncf_handler.py"


def test_an_unpacked_archive_passes_sha256sum_and_a_changed_one_does_not(artifact: Artifact, tmp_path: Path) -> None:
    save_artifact(artifact, tmp_path / "ncf.pt")
    with zipfile.ZipFile(package(PackageConfig("1.0", tmp_path / "ncf.pt", tmp_path / "store"))) as archive:
        archive.extractall(tmp_path / "unpacked")
        names = set(archive.namelist())
    command = ["sha256sum", "--check", "--strict", "SHA256SUMS"]
    done = subprocess.run(command, cwd=tmp_path / "unpacked", capture_output=True, text=True, check=True)
    checked = {line.removesuffix(": OK") for line in done.stdout.splitlines()}
    assert checked == {name for name in names if not name.endswith("/")} - {"SHA256SUMS"}
    (tmp_path / "unpacked" / "ncf_handler.py").write_text("")
    done = subprocess.run(command, cwd=tmp_path / "unpacked", capture_output=True, text=True)
    assert "ncf_handler.py: FAILED" in done.stdout


def test_a_broken_artifact_is_not_packed_and_the_old_archive_stays(artifact: Artifact, tmp_path: Path) -> None:
    save_artifact(artifact, tmp_path / "ncf.pt")
    config = PackageConfig("1.0", tmp_path / "ncf.pt", tmp_path / "store")
    before = package(config).read_bytes()
    config.artifact.write_bytes(b"broken")
    with pytest.raises(ArtifactError):
        package(config)
    assert (config.store / "ncf-1.0.mar").read_bytes() == before
