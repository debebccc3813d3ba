"""Starts TorchServe for measurements: with this project's archive or a stock one, in its own folder, on free ports."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.machine import ROOT
from bench.one_file import save_in_one_file
from model.artifact import load_artifact
from ops.frontend.build import JAR as PLUGIN
from ops.ports import free_ports
from ops.process import server
from ops.process.state import STOP_TIMEOUT_S
from ops.settings import ServerSettings, read_settings
from ops.store.archives import start_with
from train.package import PackageConfig, package


@contextmanager
def ours(artifact: Path, folder: Path, workers: int = 0) -> Iterator[ServerSettings]:
    """Starts this project's bundle of `artifact`, ready to answer, with `workers` workers (0: one per core)."""
    with running(prepare({"1.0": artifact}, folder, workers)) as settings:
        yield settings


def prepare(artifacts: Mapping[str, Path], folder: Path, workers: int = 0, gpus: int | None = None) -> ServerSettings:
    """Packs an artifact for each version into a new folder, with free ports; the first version is the default.

    gpus: the most GPUs that the workers use; None for all of them.
    """
    more = [f"default_workers_per_model={workers}", *([] if gpus is None else [f"number_of_gpu={gpus}"])]
    _copy_settings(folder, "\n".join(more))
    for version, artifact in artifacts.items():
        package(PackageConfig(version, artifact, folder / "model-store", folder / "handler" / "model-config.yaml"))
    start_with(folder / "model-store", next(iter(artifacts)))
    return read_settings(folder / "config.properties", folder)


@contextmanager
def stock(artifact: Path, folder: Path, workers: int = 0) -> Iterator[ServerSettings]:
    """Starts a bundle of the same network, built as in TorchServe's guides: BaseHandler and default settings.

    `workers`: 0 is TorchServe's default, one per core.
    """
    with running(prepare_stock(artifact, folder, workers)) as settings:
        yield settings


def prepare_stock(artifact: Path, folder: Path, workers: int = 0) -> ServerSettings:
    """Packs the same bundle, ready to be started."""
    loaded = load_artifact(artifact)
    id_maps = {
        "users": {str(raw): row for row, raw in enumerate(loaded.user_ids.ids.tolist())},
        "movies": {str(raw): row for row, raw in enumerate(loaded.movie_ids.ids.tolist())},
        "scale": [loaded.scale.minimum, loaded.scale.maximum],
    }
    folder.mkdir(parents=True)
    maps = folder / "id_maps.json"
    maps.write_text(json.dumps(id_maps))
    one_file = save_in_one_file(artifact, folder / "ncf.pt")
    packed = ["--serialized-file", one_file, "--handler", ROOT / "bench" / "stock" / "stock_handler.py"]
    return prepare_torchserve(folder, [*packed, "--extra-files", maps], [f"default_workers_per_model={workers}"])


def prepare_torchserve(folder: Path, packed: Sequence[object], more: Sequence[str]) -> ServerSettings:
    """Packs any handler with the archiver's options `packed`; `more` are further lines of config.properties."""
    store = folder / "model-store"
    ports = free_ports(5)
    store.mkdir(parents=True)
    command = [sys.executable, "-m", "model_archiver.model_packaging", "--model-name", "ncf", "--version", "1.0"]
    command += [*map(str, packed), "--export-path", str(store)]
    subprocess.run(command, check=True, capture_output=True)
    names = ("inference_address", "management_address", "metrics_address")
    lines = [f"{name}=http://127.0.0.1:{port}" for name, port in zip(names, ports, strict=False)]
    lines += [f"grpc_inference_port={ports[3]}", f"grpc_management_port={ports[4]}", "model_store=model-store"]
    lines += ["load_models=ncf=ncf.mar", "disable_token_authorization=true", *more]
    (folder / "config.properties").write_text("\n".join(lines))
    return read_settings(folder / "config.properties", folder)


def _copy_settings(folder: Path, more: str) -> None:
    """Copies this project's config.properties, with free ports, and the files that it names."""
    text = (ROOT / "config.properties").read_text()
    for usual, free in zip(("8080", "8081", "8082", "7070", "7071"), free_ports(5), strict=True):
        text = re.sub(rf"([:=]){usual}$", rf"\g<1>{free}", text, flags=re.MULTILINE)
    folder.mkdir(parents=True)
    (folder / "config.properties").write_text(f"{text}\n{more}\n")
    shutil.copytree(ROOT / "handler", folder / "handler", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    (folder / "ops" / "frontend").mkdir(parents=True)
    shutil.copy(PLUGIN, folder / "ops" / "frontend")


@contextmanager
def running(settings: ServerSettings, stop_s: float = STOP_TIMEOUT_S) -> Iterator[ServerSettings]:
    """Starts a prepared server, ready to answer, and stops it afterwards; what does not end in `stop_s` is killed."""
    server.start(settings)
    try:
        server.wait_until_ready(settings)
        yield settings
    finally:
        server.stop(settings, stop_s)
