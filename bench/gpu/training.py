"""Training on the GPU against the processor: the same errors, and how long it takes.

The two run at the same time, in processes of their own: a training takes one core. Each process sees one device alone.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from bench.gpu.section import Context, Row, failed, last_line, left_out, measured, passed
from train.dataset.demo import write_demo

Found = Sequence[Mapping[str, Any]]

PRESETS = ("default", "mlp")
_BATCHES = (1_024, 16_384, 65_536, 1_048_576)
_SEEDS = ("0", "1", "2")
# The errors of two devices may differ as much as those of seeds, and by this share of them in any case.
_SURELY_ALIKE = 0.005


class ProgramError(RuntimeError):
    """A program that trains has failed; the message has the last line that it printed."""


class _Drawing:
    """So many generated ratings, which another process draws."""

    def __init__(self, folder: Path, rows: int) -> None:
        self.rows = rows
        self._path = folder / f"{rows}.npz"
        command = [sys.executable, "-m", "bench.gpu.generated", str(self._path), str(rows)]
        self._process = subprocess.Popen(command)

    def file(self) -> str:
        """The file, once it is there.

        Raises:
            ProgramError: it could not be written.
        """
        if status := self._process.wait():
            raise ProgramError(f"bench.gpu.generated ended with status {status}")
        return str(self._path)


def run(context: Context) -> Iterator[Row]:
    """Errors and seconds on KMRD or the embedded data, and then speed on more and more generated ratings."""
    more, most, batches = (20_000, 40_000, (1_024,)) if context.small else (1_000_000, 10_000_000, _BATCHES)
    with tempfile.TemporaryDirectory() as folder:
        drawing = {rows: _Drawing(Path(folder), rows) for rows in (more, most)}  # meanwhile
        data = context.kmrd
        if data is None:
            data = Path(folder) / "demo"
            write_demo(data)
        for preset in PRESETS:
            yield from _or_failure(f"{preset} on {data.name}", _compare(context, preset, data))
        for rows, drawn in drawing.items():
            yield from _or_failure(f"mlp on {rows:,} generated ratings", _epochs(context, drawn, batches))
        for rows, devices in ((more, _devices(context)), (most, [context.device])):
            yield from _or_failure(f"default on {rows:,} generated ratings", _fits(drawing[rows], devices))


def _or_failure(what: str, rows: Iterator[Row]) -> Iterator[Row]:
    """The rows; a program that fails becomes one, so that the others still run."""
    try:
        yield from rows
    except ProgramError as error:
        yield failed(what, str(error))


def _compare(context: Context, preset: str, data: Path) -> Iterator[Row]:
    """The errors of both devices by seed, and the seconds of both."""
    arguments = ["bench.gpu.fit", preset, str(data), *_SEEDS[: 2 if context.small else 3]]
    name = f"{preset} on {data.name}"
    by_device = _on_devices(_devices(context), arguments)
    for device, found in by_device.items():
        yield _seconds(f"{name}, {device}", found)
        yield measured(f"{name}, {device}: held-out MSE", _mean(found, "mse"), "", _by_seed(found))
    ours, cpu = ([one["mse"] for one in by_device[device]] for device in (context.device, "cpu"))
    yield alike(f"{name}: errors as on the processor", ours, cpu)


def alike(what: str, ours: Sequence[float], theirs: Sequence[float]) -> Row:
    """Whether the mean errors of two devices differ by no more than seeds do."""
    apart = abs(float(np.mean(ours)) - float(np.mean(theirs)))
    spread = max(float(np.ptp(ours)), float(np.ptp(theirs)))
    allowed = max(spread, _SURELY_ALIKE * float(np.mean(theirs)))
    told = f"{apart:.5f} apart, of {allowed:.5f} allowed; seeds spread by {spread:.5f}"
    return passed(what, told) if apart <= allowed else failed(what, told)


def _epochs(context: Context, drawn: _Drawing, batches: Sequence[int]) -> Iterator[Row]:
    """Rows per second of an epoch of `mlp`, and with CUDA graphs."""
    what = f"one epoch of mlp on {drawn.rows:,} generated ratings"
    for found in _lines(context.device, ["bench.gpu.epochs", drawn.file(), *map(str, batches)]):
        name = f"{what}, batches of {found['batch']:,}"
        if "graph" in found:
            yield measured(f"{name}, a step as a CUDA graph", found["graph"], "rows/s", "trainings do not use it")
        else:
            yield measured(name, found["plain"], "rows/s")
    if context.device == "cpu":
        yield left_out(f"{what}, a step as a CUDA graph", "needs a GPU")


def _fits(drawn: _Drawing, devices: Sequence[str]) -> Iterator[Row]:
    """Seconds of the default preset on generated ratings, on these devices at the same time."""
    arguments = ["bench.gpu.fit", "default", drawn.file(), "0"]
    name = f"default on {drawn.rows:,} generated ratings"
    for device, found in _on_devices(devices, arguments).items():
        yield _seconds(f"{name}, {device}", found)
        yield measured(f"{name}, {device}: held-out MSE", _mean(found, "mse"), "")


def _seconds(what: str, found: Found) -> Row:
    """Seconds to choose and to fit, the mean over seeds."""
    choose, fit = _mean(found, "choose_s"), _mean(found, "fit_s")
    rate = found[0]["rows"] * _mean(found, "passes") / fit
    return measured(what, choose + fit, "s", f"choosing {choose:.1f} s, fitting {fit:.1f} s, {rate:,.0f} rows/s in it")


def _mean(found: Found, name: str) -> float:
    return float(np.mean([one[name] for one in found]))


def _by_seed(found: Found) -> str:
    return "by seed " + ", ".join(f"{one['mse']:.4f}" for one in found)


def _devices(context: Context) -> list[str]:
    """The device and the processor; in a trial these are one."""
    return list(dict.fromkeys((context.device, "cpu")))


def _on_devices(devices: Sequence[str], arguments: Sequence[str]) -> dict[str, Found]:
    """What a program prints on each device. The devices run at the same time."""
    with ThreadPoolExecutor() as pool:
        found = pool.map(lambda device: list(_lines(device, arguments)), devices)
        return dict(zip(devices, found, strict=True))


def _lines(device: str, arguments: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    """The lines of JSON that a program prints, as it prints them.

    Raises:
        ProgramError: it failed.
    """
    environment = {**os.environ, **({"CUDA_VISIBLE_DEVICES": ""} if device == "cpu" else {})}
    command = [sys.executable, "-m", *arguments]
    with tempfile.TemporaryFile("w+") as errors:
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True) as process:
            assert process.stdout is not None
            for line in process.stdout:
                found = json.loads(line)
                if found["device"] != device:
                    process.kill()
                    raise ProgramError(f"{arguments[0]} ran on {found['device']}, not on {device}")
                yield found
        if process.returncode:
            errors.seek(0)
            told = errors.read()
            print(told)
            raise ProgramError(f"{arguments[0]} ended with status {process.returncode}: {last_line(told)}")
