"""Starts the commands of `train` and `score`, as programs, because `ops` must not import them."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from ops.build.recipe import Recipe

# How long a command may take to end by itself after a Ctrl-C.
_OWN_END_S = 2.0
# The value of CLUSTER that stands for this machine: it trains by parts, and scores as without CLUSTER.
LOCAL = "local"


class CommandError(RuntimeError):
    """A command failed and printed the reason; `status` is its exit status."""

    def __init__(self, words: list[str], status: int) -> None:
        super().__init__(f"{shlex.join(words)}: exit status {status}")
        self.status = status


def train(recipe: Recipe, version: str, out: Path, processes: str | None, resume: bool) -> None:
    """Trains into the folder `out`."""
    options = recipe.options
    words = ["--preset", options["PRESET"], "--data", options["DATA"], "--out", str(out), "--version", version]
    words += [*shlex.split(options["TRAIN_ARGS"]), *(["--resume"] if resume else [])]
    cluster = options.get("CLUSTER", "")
    if cluster not in ("", LOCAL):
        _run_module("train.cluster", "--cluster", cluster, *(["--processes", processes] if processes else []), *words)
        return
    module = "train.parts" if cluster else "train"
    if processes:
        torchrun = str(Path(sys.executable).with_name("torchrun"))
        _run([torchrun, "--standalone", "--nproc-per-node", processes, "-m", module, *words])
    else:
        _run_module(module, *words)


def update(options: dict[str, str], base: Path, version: str, out: Path) -> None:
    """Adds new ratings to a copy of the artifact `base`, and writes it to the folder `out`."""
    words = ["--ratings", options["RATINGS"], "--base", str(base), "--out", str(out), "--version", version]
    _run_module("train.update", *words, *shlex.split(options["UPDATE_ARGS"]))


def news(ratings: str, base: Path) -> dict[str, Any]:
    """The output of `python -m train.update.news`: which of these ratings the artifact `base` lacks.

    Raises:
        CommandError: the ratings cannot be read; the command printed the reason.
    """
    words = [sys.executable, "-m", "train.update.news", "--ratings", ratings, "--base", str(base)]
    done = subprocess.run(words, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise CommandError(words, done.returncode)
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def adopt(options: dict[str, str], version: str, out: Path) -> None:
    """Makes an artifact from a network that was trained elsewhere, in the folder `out`."""
    words = ["--out", str(out), "--version", version]
    for name in ("MODEL", "USERS", "MOVIES", "MODULE", "MODULE_ARGS", "OUTPUT", "RATINGS", "ITEM", "TAGS"):
        words += [f"--{name.lower().replace('_', '-')}", options[name]] if options[name] else []
    words += ["--rating-scale", *options["SCALE"].split()] if options["SCALE"] else []
    words += ["--movie-vectors", options["VECTORS"]] if options["VECTORS"] else []
    _run_module("train.adopt", *words, *shlex.split(options["ADOPT_ARGS"]))


def package(artifact: Path, version: str, store: Path) -> None:
    """Packs an artifact into the model store."""
    _run_module("train.package", "--artifact", str(artifact), "--version", version, "--store", str(store))


def report(folder: Path, data: str | None, verdict: Path | None, arguments: str) -> None:
    """Writes the report on the version in a folder.

    data: its training data, if known. verdict: a verdict on this version, to include.
    """
    words = ["--folder", str(folder), *(["--data", data] if data else [])]
    words += ["--verdict", str(verdict)] if verdict is not None else []
    _run_module("train.evaluation.report", *words, *shlex.split(arguments))


def score(
    artifact: Path, cluster: str, options: Mapping[str, str], switches: list[str], genres: list[str], rest: str
) -> None:
    """Writes the best movies of every user. options: values of `python -m score`, by its options' names."""
    words = ["--artifact", str(artifact), *(word for name, value in options.items() for word in (f"--{name}", value))]
    words += [*switches, *(["--genres", *genres] if genres else []), *shlex.split(rest)]
    if cluster in ("", LOCAL):
        _run_module("score", *words)
    else:
        _run_module("score.cluster", "--cluster", cluster, *words)


def demo(folder: Path) -> None:
    """Writes the embedded data set."""
    _run_module("train.dataset.demo", str(folder))


def _run_module(module: str, *words: str) -> None:
    _run([sys.executable, "-m", module, *words])


def _run(words: list[str]) -> None:
    # The command also holds the lock of shelf.making. So if the verb is killed, the version stays locked until the
    # command ends.
    process = subprocess.Popen(words, close_fds=False)
    try:
        status = process.wait()
    except KeyboardInterrupt:  # Ctrl-C reaches the command too; a signal to this process alone does not
        with suppress(subprocess.TimeoutExpired):
            process.wait(_OWN_END_S)
        process.terminate()
        process.wait()
        raise
    if status:
        raise CommandError(words, status)
