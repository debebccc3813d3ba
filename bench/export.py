"""`python -m bench.export`: the default network in TorchScript, as artifacts hold it, and in what could replace it.

An untrained network of KMRD's size is written in each form of bench/network_forms.py. A fresh process with one thread
loads it, and measures the load, the calls through the scorer, and how far each method's results are from those of the
network that was written. Times are those of the processor. AOTInductor needs a C++ compiler and minutes.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import psutil
import torch
from torch import Tensor, nn

from bench.machine import describe_machine
from bench.markdown import table
from bench.network_forms import FORMS, MOVIES, USERS, Form, Loaded, make
from bench.network_methods import METHODS, method_of
from model.artifact import Artifact
from model.catalogue import Catalogue
from model.history import History
from model.ids import IdMap
from model.scale import RatingScale
from model.scorer import Scorer

BATCHES = (1, 48, 1_024, 4_096, 65_536)
RATINGS = 20  # of the new user whose row is computed
# The sizes of the inputs by which methods are compared. Nobody asks for 0 users.
_SIZES, _SIZES_OF_USERS = (0, 1, 2, 50), (1, 2, 50)
_ROUNDS, _ROUND_S = 7, 0.3


def measure(form: Form, folder: Path) -> dict[str, float]:
    """The figures of one form, in this process."""
    torch.set_num_threads(1)
    process = psutil.Process()
    empty, started = process.memory_info().rss, time.process_time()
    loaded = form.load(folder)
    figures = {"load, ms": (time.process_time() - started) * 1e3}
    figures["memory, MiB"] = (process.memory_info().rss - empty) / 2**20
    scorer = _scorer(loaded)
    random = np.random.default_rng(0)
    for size in BATCHES:
        pairs = random.integers(0, USERS, size), random.integers(0, MOVIES, size)
        figures[f"{size:,} pairs, us"] = microseconds(lambda pairs=pairs: scorer.rate(*pairs))  # type: ignore[misc]
    if scorer.can_encode:
        rated, ratings = random.integers(0, MOVIES, RATINGS), random.integers(1, 11, RATINGS)
        figures["a new user, us"] = microseconds(lambda: scorer.encode(rated, ratings))
    figures["largest difference"] = largest_difference(loaded.methods, make())
    return figures


def microseconds(work: Callable[[], object]) -> float:
    """The processor's time for one call: the median of several rounds, after a warm-up."""
    work()
    work()
    rounds = []
    for _ in range(_ROUNDS):
        done, start = 0, time.process_time()
        while (spent := time.process_time() - start) < _ROUND_S or not done:
            work()
            done += 1
        rounds.append(spent / done * 1e6)
    return float(np.median(rounds))


def largest_difference(methods: Mapping[str, Callable[..., Tensor]], network: nn.Module) -> float:
    """The largest difference of these methods' results from those of the network, for inputs of several sizes.

    Raises:
        ValueError: a result has another shape.
    """
    apart = 0.0
    with torch.inference_mode():
        for name, method in methods.items():
            for size in _SIZES_OF_USERS if METHODS[name].of_users else _SIZES:
                inputs = METHODS[name].inputs(network, size)
                expected, found = method_of(network, METHODS[name])(*inputs), method(*inputs)
                if expected.shape != found.shape:
                    raise ValueError(f"{name}: got {tuple(found.shape)}, expected {tuple(expected.shape)}")
                apart = max([apart, *(expected - found).abs().flatten().tolist()])
    return apart


def _scorer(loaded: Loaded) -> Scorer:
    offsets, empty = np.zeros(USERS + 1, dtype=np.int32), np.zeros(0, dtype=np.int32)
    history = History(offsets, empty, empty.astype(np.float32))
    ids = IdMap(np.arange(USERS)), IdMap(np.arange(MOVIES))
    catalogue = Catalogue({}, MOVIES)
    return Scorer(Artifact(loaded.network, *ids, RatingScale(1, 10), history, catalogue, compiled_head=loaded.head))


def main() -> None:
    """Measures the forms, and prints the table and which methods a form refuses."""
    parser = argparse.ArgumentParser(prog="python -m bench.export", description=str(__doc__).splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=FORMS, default=list(FORMS), help="the forms to measure")
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        name, folder = options.measure
        print(json.dumps(measure(FORMS[name], Path(folder))))
        return
    found, refusals = {}, []
    for name in options.only:
        with tempfile.TemporaryDirectory() as folder:
            started = time.perf_counter()
            refused = FORMS[name].write(make(), Path(folder))
            figures = {"write, s": time.perf_counter() - started}
            figures["files, MiB"] = sum(path.stat().st_size for path in Path(folder).iterdir()) / 2**20
            found[name] = figures | _in_a_fresh_process(name, folder)
        refusals += [f"{name} refuses {method}: {why}" for method, why in refused.items()]
    print(_table(found), *refusals, describe_machine()["processor"], sep="\n")


def _in_a_fresh_process(name: str, folder: str) -> dict[str, float]:
    command = [sys.executable, "-W", "ignore", "-m", "bench.export", "--measure", name, folder]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def _table(found: Mapping[str, Mapping[str, float]]) -> str:
    """One column for each form."""
    figures = list(dict.fromkeys(figure for one in found.values() for figure in one))
    rows = [(figure, *(f"{one[figure]:.3g}" if figure in one else "-" for one in found.values())) for figure in figures]
    return table(("on one core", *found), 1, rows)


if __name__ == "__main__":
    main()
