"""Packs an artifact into an archive, `ncf-VERSION.mar`, by torch-model-archiver.

The archive holds the artifact and the packages `model` and `handler`, so each version runs its own code. It also holds
the model card, and SHA256SUMS: the digest of every file in it, for `sha256sum -c` and `ops.store.digests`.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import tyro

from model.archive import DIGESTS, MODEL_CARD, NAME, archive_name, file_digests
from model.artifact import load_artifact
from train.command import run_command
from train.compile_head import compile_head
from train.evaluation.model_card import model_card

ROOT = Path(__file__).resolve().parent.parent
HANDLER = "ncf_handler.py"


@dataclass(frozen=True)
class PackageConfig:
    """Pack a trained model into an archive that TorchServe loads."""

    version: str = "1.0"
    """Version of the archive."""
    artifact: Path = Path("build/1.0/ncf.pt")
    """The artifact that `python -m train` wrote."""
    store: Path = Path("model-store")
    """TorchServe's model store; the archive is ncf-VERSION.mar in it."""
    config: Path = ROOT / "handler" / "model-config.yaml"
    """TorchServe's and the handler's settings for this version."""


def package(config: PackageConfig) -> Path:
    """Writes the archive in one step and returns its path.

    Raises:
        FileExistsError: the version has an archive; a version is never replaced.
        ArtifactError: the artifact cannot be served.
        ValueError: TorchServe's or the handler's settings are wrong.
        OSError: torch-model-archiver failed; the message holds the last line that it wrote.
    """
    card = model_card(load_artifact(config.artifact).metadata)
    config.store.mkdir(parents=True, exist_ok=True)
    target = config.store / archive_name(config.version)
    if target.exists():
        raise FileExistsError(f"{target}: already exists, and a version is never replaced: give another --version")
    with tempfile.TemporaryDirectory(dir=config.store, prefix=".package-") as folder:
        archive = _archive(config, card, Path(folder).resolve())
        add_digests(archive)
        os.link(archive, target)  # which, unlike a rename, fails where another process has just written one
    return target


def _archive(config: PackageConfig, card: str, folder: Path) -> Path:
    """Runs the archiver inside `folder`, since it splits paths at commas. It also deletes files under TMPDIR."""
    code, scratch = folder / "staged", folder / "tmp"
    scratch.mkdir()
    left_out = shutil.ignore_patterns("__pycache__", HANDLER, "*.xml", "*.yaml")
    for name in ("model", "handler"):
        shutil.copytree(ROOT / name, code / name, ignore=left_out)
    _check_config(config.config.resolve(), code)
    if compile_head(code / "model") is None:
        print("no C compiler (cc) here: TorchScript computes the head of this archive, which takes more time")
    (code / MODEL_CARD).write_text(card, encoding="utf-8")
    command = [sys.executable, "-m", "model_archiver.model_packaging", "--model-name", NAME]
    command += ["--version", config.version, "--serialized-file", str(config.artifact.resolve())]
    command += ["--handler", str(ROOT / "handler" / HANDLER), "--extra-files", code.name]
    command += ["--config-file", str(config.config.resolve()), "--export-path", str(folder)]
    command += ["--archive-format", "zip-store"]
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, "TMPDIR": str(scratch)}, capture_output=True, text=True
    )
    if done.returncode:
        raise OSError(f"torch-model-archiver failed: {_last_line(done.stderr)}")
    return folder / f"{NAME}.mar"


def _check_config(config: Path, code: Path) -> None:
    """Checks the settings with the code that is packed beside them."""
    command = [sys.executable, "-m", "handler.settings", str(config)]
    done = subprocess.run(command, cwd=code, capture_output=True, text=True)
    if done.returncode:
        raise ValueError(_last_line(done.stderr))


def _last_line(text: str) -> str:
    """Where a program says what went wrong: the lines before it are its traceback."""
    lines = text.strip().splitlines()
    return lines[-1] if lines else "it gave no reason"


def add_digests(archive: Path) -> None:
    """Writes SHA256SUMS into an archive that has none."""
    with zipfile.ZipFile(archive, "a") as file:
        lines = [f"{digest}  {name}\n" for name, digest in sorted(file_digests(file))]
        file.writestr(DIGESTS, "".join(lines))


def main(arguments: list[str] | None = None) -> int:
    """Packs an artifact; returns the exit status."""
    config = tyro.cli(PackageConfig, prog="python -m train.package", args=arguments)
    return run_command("package", lambda: _packed(config))


def _packed(config: PackageConfig) -> str:
    archive = package(config)
    return f"wrote {archive}, SHA-256 {hashlib.sha256(archive.read_bytes()).hexdigest()}"


if __name__ == "__main__":
    sys.exit(main())
