"""`python -m train`: a file of ratings becomes an artifact."""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any, TypeVar

import tyro

from train import distributed
from train.architectures import ARCHITECTURES
from train.command import run_command, speaks
from train.config import PRESETS, TrainConfig
from train.cross_validation import format_folds
from train.dataset.reading import Reading
from train.evaluation.evaluate import format_table
from train.evaluation.ranking_words import format_rankings
from train.evaluation.split_words import describe_split
from train.evaluation.verdict import doubt
from train.output import ARTIFACT
from train.prepared.folder import is_prepared
from train.run import run

Config = TypeVar("Config", bound=TrainConfig)


def main(arguments: list[str] | None = None) -> int:
    """Parses options, reads, trains, prints the table; returns the exit status."""
    given = sys.argv[1:] if arguments is None else arguments
    return run_command("train", lambda: _train(given), "nothing was overwritten, --resume continues")


def _train(arguments: list[str]) -> str:
    """Reads and trains; returns what to tell of it."""
    distributed.end_with_torchrun()
    try:
        config = parse_config(arguments)
        refuse_to_replace(config)
        _refuse_prepared(config)
        distributed.start()
        data = config.read(config.data, config.rating_scale)
        if not distributed.rank():
            print(data.reading.text())
        metrics = run(config, data)
    finally:
        distributed.stop()
    return told_of(config, metrics) if metrics else ""


def parse_config(arguments: list[str]) -> TrainConfig:
    """The options of this command. Raises ValueError as `parse_options`."""
    return parse_options(arguments, TrainConfig)


def parse_options(arguments: list[str], kind: type[Config]) -> Config:
    """The preset that `--preset` names, with the other options on top. kind: of the options.

    Raises:
        ValueError: an option's value is outside what is allowed, or it is of an architecture that is not trained.
    """
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--preset", default="default")
    preset, rest = parser.parse_known_args(arguments)
    if preset.preset not in PRESETS:
        raise ValueError(f"--preset: got {preset.preset}, allowed: {', '.join(PRESETS)}")
    description = f"Train on a file of ratings. --preset {{{','.join(PRESETS)}}} sets the defaults shown here."
    defaults = vars(PRESETS[preset.preset])
    config: Config = tyro.cli(
        kind,
        prog="python -m train",
        description=description,
        default=kind(**defaults),
        args=rest,
        console_outputs=speaks(),
    )
    _refuse_other_architecture(config.architecture, rest)
    return config


def refuse_to_replace(config: TrainConfig) -> None:
    """Raises the ValueError of a run whose artifact is there."""
    target = config.out / ARTIFACT
    if target.exists():
        raise ValueError(f"{target}: already exists, and a version is never replaced: give another --out and --version")


def _refuse_prepared(config: TrainConfig) -> None:
    if is_prepared(config.data):
        raise ValueError(f"{config.data}: is a prepared folder: `make train CLUSTER=local` trains on it, part by part")


def _refuse_other_architecture(architecture: str, arguments: list[str]) -> None:
    """An option of an architecture that is not trained would change nothing, and nobody would notice."""
    for other in ARCHITECTURES.keys() - {architecture}:
        for option in (one.split("=")[0] for one in arguments if one.startswith(f"--{other}.")):
            raise ValueError(
                f"{option}: an option of architecture {other}, and {architecture} is what is trained: "
                f"leave it out, or add --architecture {other}"
            )


def told_of(config: TrainConfig, metrics: dict[str, Any]) -> str:
    """The errors, what was chosen, how fast it was, and what was written."""
    lines = []
    if "reading" in metrics["split"]:
        lines.append(Reading(**metrics["split"]["reading"]).text())
    if metrics["metrics"]:
        lines.append(f"held out: {describe_split(metrics['split'])}")
        lines.append(format_table(metrics["metrics"], config.words))
        lines += [line for line in [doubt(metrics["metrics"], config.words)] if line]
    if "cross_validation" in metrics:
        lines.append(format_folds(metrics["cross_validation"]))
    if metrics["rankings"]:
        lines.append(format_rankings(metrics["rankings"], config.words))
    chosen = ", ".join(f"{name} {value}" for name, value in metrics["chosen"].items())
    lines.append(f"chosen: {chosen}; trained in {metrics['training_s']:.1f} s, {metrics['rows_per_s']:,} ratings/s")
    lines += [f"{name} {metrics['chosen'][name]}: {reason}" for name, reason in metrics["reasons"].items()]
    lines.append(f"wrote {config.out / ARTIFACT}, digest {metrics['digest'][:16]}")
    return "\n".join(lines)


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    os._exit(status) if status == 130 else sys.exit(status)
