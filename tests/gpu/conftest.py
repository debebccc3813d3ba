"""Tests of what runs on a GPU. Without one they are skipped; NCF_DEVICE=cpu tries them on the processor."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import torch

from model.artifact import save_artifact
from tests.gpu import models

Figures = Callable[[str, float, str], None]


class Precision(NamedTuple):
    """How exact the GPU multiplies matrices, in torch's word for it, and by how much ratings may differ, in units."""

    setting: str
    tolerance: float


PRECISIONS = {"TF32 off": Precision("highest", 1e-5), "TF32 on": Precision("high", 1e-3)}


@pytest.fixture(scope="session")
def device() -> str:
    """What is tested: `cuda`, or `cpu` in a trial."""
    if os.environ.get("NCF_DEVICE") == "cpu":
        return "cpu"
    if not torch.cuda.is_available():
        pytest.skip("no GPU; NCF_DEVICE=cpu tries this on the processor")
    return "cuda"


@pytest.fixture(params=sorted(PRECISIONS))
def precision(request: pytest.FixtureRequest) -> Iterator[Precision]:
    """With TF32 and without it, which is torch's default."""
    chosen, before = PRECISIONS[request.param], torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision(chosen.setting)
    yield chosen
    torch.set_float32_matmul_precision(before)


@pytest.fixture(scope="session")
def paths(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A saved model of either architecture."""
    folder, found = tmp_path_factory.mktemp("models"), {}
    for name, make in (("factors", models.factors), ("mlp", models.mlp)):
        found[name] = folder / name / "ncf.pt"
        found[name].parent.mkdir()
        save_artifact(make(), found[name])
    return found


@pytest.fixture
def figures(record_property: Callable[[str, object], None]) -> Figures:
    """Records a figure with its unit, which the table of the check shows (bench/gpu/tests.py)."""
    return lambda name, figure, unit: record_property(f"figure: {name}", f"{figure:.6g} {unit}")
