"""What the GPU check trains on and measures, on the processor."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from bench.gpu.generated import load_generated, write_generated
from bench.gpu.many_items import Way, _by_number
from bench.gpu.training import ProgramError, _lines, alike


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("generated") / "3000.npz"
    write_generated(path, 3_000)
    return path


def test_generated_ratings_come_back_as_they_were_drawn(generated: Path, tmp_path: Path) -> None:
    data = load_generated(generated)
    assert len(data.ratings) == 3_000
    assert data.ratings["rating"].between(*data.rating_scale).all()
    write_generated(tmp_path / "again.npz", 3_000)
    assert load_generated(tmp_path / "again.npz").ratings.equals(data.ratings)


@pytest.mark.parametrize("preset", ["default", "mlp"])
def test_trainings_tell_seconds_and_errors_by_seed(generated: Path, preset: str) -> None:
    one, again = _lines("cpu", ["bench.gpu.fit", preset, str(generated), "0", "0"])
    assert (one["device"], one["rows"]) == ("cpu", 2_400)
    assert one["choose_s"] > 0
    assert one["fit_s"] > 0
    assert 0 < one["mse"] < np.var(load_generated(generated).ratings["rating"]) * 1.5
    assert {name: one[name] for name in ("mse", "chosen", "passes")} == {
        name: again[name] for name in ("mse", "chosen", "passes")
    }


def test_epochs_are_timed_by_batch(generated: Path) -> None:
    found = list(_lines("cpu", ["bench.gpu.epochs", str(generated), "100", "1000"]))
    assert [(one["rows"], one["batch"]) for one in found] == [(3_000, 100), (3_000, 1_000)]
    assert min(one["plain"] for one in found) > 0


def test_program_that_fails_is_told_with_its_last_line(tmp_path: Path) -> None:
    with pytest.raises(ProgramError, match=r"bench.gpu.fit ended with status 1: .*FileNotFoundError"):
        list(_lines("cpu", ["bench.gpu.fit", "mlp", str(tmp_path / "none.npz"), "0"]))


def test_errors_of_two_devices_are_alike_within_the_spread_of_seeds() -> None:
    assert alike("mse", [3.10, 3.14, 3.12], [3.11, 3.15, 3.13]).outcome == "passed"
    assert alike("mse", [3.001, 3.001], [3.0, 3.0]).outcome == "passed"
    assert alike("mse", [3.2, 3.2], [3.0, 3.0]).outcome == "failed"
    assert alike("mse", [3.2, 3.21], [3.0, 3.01]).outcome == "failed"


def test_lists_that_would_take_too_long_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.gpu.many_items._seconds", lambda way, number: float(way.calls(number)))
    rows = list(_by_number("lists", Way(lambda _: None, 16), (1, 64, 1_024)))
    assert [row.figure for row in rows] == [1e3, 4e3, None]
    assert rows[-1].note == "would take about 64 s"


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_training_on_another_device_than_was_asked_for_fails(generated: Path) -> None:
    with pytest.raises(ProgramError, match=r"bench.gpu.fit ran on cpu, not on cuda"):
        list(_lines("cuda", ["bench.gpu.fit", "mlp", str(generated), "0"]))
