"""Finished stages of a run, kept so that a killed one can go on: `--resume`.

Each stage is one safetensors file in OUT/.resume: its tensors, and in the file's header its plain values as JSON and
the fingerprint of the run. A matrix comes back as it lay in memory, by rows or by columns: these are summed in unlike
orders, and the result is to be the same to the last bit. A file appears whole or not at all, and all of them go when
the run has written its artifact.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from model.files import atomic_write
from train import distributed
from train.config import TrainConfig
from train.dataset.data import RatingsData

FOLDER = ".resume"
_FORMAT = 5  # of the files: add 1 when they change, or when a stage computes something else
_NO_PART_OF_THE_RESULT = ("data", "movies", "test_file", "events", "out", "version", "resume")


class Stage(NamedTuple):
    """The result of a finished stage: tensors, and values that JSON can hold."""

    tensors: dict[str, Tensor]
    values: dict[str, Any]


class Stages:
    """The stages of one run.

    Args:
        folder: of the stages' files; None saves nothing.
        fingerprint: of the run that may use them.
        resume: use the files in the folder. Without it they are removed.
    """

    def __init__(self, folder: Path | None = None, fingerprint: str = "", resume: bool = False) -> None:
        self._folder, self._fingerprint, self._resume = folder, fingerprint, resume
        if folder is not None and not resume:
            self.clear()
        elif folder is not None and not folder.exists():
            _tell(f"nothing in {folder}, so the run starts from the beginning")

    def load(self, name: str) -> Stage | None:
        """The stage, if this same run has finished it before. A file of another run is reported and not used."""
        if self._folder is None or not self._resume:
            return None
        stage = self._read(name)
        return stage if distributed.all_have(stage is not None) else None

    def save(self, name: str, tensors: dict[str, Tensor], values: dict[str, Any]) -> None:
        """Saves a stage. It replaces an earlier stage of the same name."""
        path = self._path(name)
        if path is None or distributed.rank():
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        turned = [key for key, tensor in tensors.items() if tensor.ndim == 2 and not tensor.is_contiguous()]
        rows = {key: (tensor.T if key in turned else tensor).detach().cpu() for key, tensor in tensors.items()}
        header = {"fingerprint": self._fingerprint, "values": json.dumps(values), "turned": json.dumps(turned)}
        with atomic_write(path) as partial:
            save_file({key: tensor.contiguous().clone() for key, tensor in rows.items()}, partial, header)

    def clear(self) -> None:
        """Removes all of them."""
        if self._folder is not None and not distributed.rank():
            shutil.rmtree(self._folder, ignore_errors=True)

    def _read(self, name: str) -> Stage | None:
        path = self._path(name)
        if path is None or not path.exists():
            return None
        try:
            with safe_open(path, "pt") as file:
                header = file.metadata() or {}
                if header.get("fingerprint") != self._fingerprint:
                    _tell(f"{path}: of other options, data or versions, so not used")
                    return None
                turned = json.loads(header["turned"])
                # Cloned: a mapped file's tensors lie at odd addresses, where sums may be taken in another order.
                tensors = {key: file.get_tensor(key).clone() for key in file.keys()}  # noqa: SIM118
            stage = Stage(
                {key: tensor.T if key in turned else tensor for key, tensor in tensors.items()},
                json.loads(header["values"]),
            )
        except (SafetensorError, OSError, ValueError, KeyError) as error:
            _tell(f"{path}: cannot be read, so not used: {error}")
            return None
        _tell(f"going on after {name}")
        return stage

    def _path(self, name: str) -> Path | None:
        return None if self._folder is None else self._folder / (re.sub(r"\W+", "-", name) + ".safetensors")


NO_STAGES = Stages()


def fingerprint(config: TrainConfig, data: RatingsData) -> str:
    """SHA-256 of what decides a result: options, data, catalogue, events, versions, number of processes."""
    told = [data.sha256, data.rating_scale, distributed.world(), distributed.device().type]
    told += [] if data.events is None else [data.events.sha256]
    return fingerprint_of(config, data.movies, told)


def fingerprint_of(config: TrainConfig, movies: pd.DataFrame | None, told: list[Any]) -> str:
    """SHA-256 of options, catalogue and versions, and of what else decides a result, as JSON can hold it."""
    options = {name: value for name, value in asdict(config).items() if name not in _NO_PART_OF_THE_RESULT}
    catalogue = "" if movies is None else movies.to_json(orient="values")
    told = [_FORMAT, options, hashlib.sha256(catalogue.encode()).hexdigest(), torch.__version__, *told]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def _tell(line: str) -> None:
    if not distributed.rank():
        print(f"resume: {line}", file=sys.stderr)
