"""How fast one process is, on the GPU and on one CPU core, without a server: pairs, and the ten best of many items."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from bench.gpu.crossover import Rates, compare
from bench.gpu.many_items import ten_best
from bench.gpu.section import Context, Row, left_out, measured
from bench.predictor import BATCHES, in_batches
from handler.service import RatingService
from handler.settings import HandlerSettings
from model.artifact import Artifact, load_artifact
from train.compile_head import compile_head

# The first ones are what one worker gets at once from few and from many clients.
_SIZES = (1, 48, 256, *BATCHES)
_SMALL_SIZES = (1, 48, 1_024)
# Batches of sizes that no request had before: TorchScript may compile for them.
_NEW_SIZES = (3, 7, 31, 100, 1_000, 10_000)
_WHOLE = "raw ids to ratings"
_PAYS = "the smallest batch from which on the GPU is faster than one CPU core"


def run(context: Context) -> Iterator[Row]:
    """Pairs per second by batch, from which batch on the GPU is faster, the first calls, and lists."""
    sizes, seconds = (_SMALL_SIZES, 0.1) if context.small else (_SIZES, 0.5)
    devices = list(dict.fromkeys((context.device, "cpu")))
    by_device: dict[str, Rates] = {}
    with tempfile.TemporaryDirectory() as folder:
        for device in devices:
            artifact = _load(context.artifact, device, Path(folder))
            for name, rates in in_batches(artifact, device, seconds, sizes):
                for size, rate in zip(sizes, rates, strict=True):
                    yield measured(f"{name}, batches of {size:,}, {device}", rate, "pairs/s")
                if name == _WHOLE:
                    by_device[device] = dict(zip(sizes, rates, strict=True))
    if "cuda" in by_device:
        yield compare(_PAYS, by_device["cuda"], by_device["cpu"])
    else:
        yield left_out(_PAYS, "needs a GPU")
    yield from _first_calls(load_artifact(context.artifact, context.device), context.device)
    yield from ten_best(context, devices)


def _load(path: Path, device: str, folder: Path) -> Artifact:
    """The artifact; on a CPU with its head as machine code, as an archive has it, where there is a compiler."""
    artifact = load_artifact(path, device)
    return replace(artifact, compiled_head=compile_head(folder)) if device == "cpu" else artifact


def _first_calls(artifact: Artifact, device: str) -> Iterator[Row]:
    """How long a new worker takes until it is warm, and how long a batch of a new size takes after that."""
    start = time.perf_counter()
    service = RatingService(artifact, HandlerSettings(), "ncf", "1.0", device=device)
    service.warm_up()
    yield measured(f"a loaded model until it is warm, {device}", time.perf_counter() - start, "s")
    scorer = service.predictor.scorer
    spent = {}
    for size in _NEW_SIZES:
        start = time.perf_counter()
        scorer.rate(np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.int64))
        spent[size] = 1e3 * (time.perf_counter() - start)
    slowest = max(spent, key=lambda size: spent[size])
    note = f"the slowest of {len(spent)} new sizes, {slowest:,} pairs; TorchScript may compile for it"
    yield measured(f"the first batch of a new size after the warm-up, {device}", spent[slowest], "ms", note)
    if device == "cuda":
        yield measured("the model's tensors on the GPU", torch.cuda.memory_allocated() / 2**20, "MiB")
        yield measured("the most that this process had there", torch.cuda.max_memory_allocated() / 2**20, "MiB")
