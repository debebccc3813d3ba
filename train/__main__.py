"""`python -m train`: a file of ratings becomes an artifact."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from typing import Any

import tyro
from safetensors import SafetensorError

from train import distributed
from train.architectures import ARCHITECTURES
from train.config import PRESETS, TrainConfig
from train.errors import DataError, DivergedError
from train.evaluation.evaluate import format_table
from train.output import ARTIFACT
from train.run import run


def main(arguments: list[str] | None = None) -> int:
    """Parses options, reads, trains, prints the table; returns the exit status."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that partial files are cleaned up
    try:
        config = parse_config(sys.argv[1:] if arguments is None else arguments)
        _refuse_to_replace(config)
        distributed.start()
        data = config.read(config.data, config.rating_scale)
        if not distributed.rank():
            print(data.reading.text())
        metrics = run(config, data)
    except (DataError, DivergedError, SafetensorError, ValueError, OSError) as error:
        _complain(str(error))
        return 2
    except KeyboardInterrupt:
        _complain("interrupted; nothing was overwritten, --resume goes on")
        return 130
    finally:
        distributed.stop()
    if metrics:
        _tell(config, metrics)
    return 0


def parse_config(arguments: list[str]) -> TrainConfig:
    """The preset that `--preset` names, with the other options on top.

    Raises:
        ValueError: an option's value is outside what is allowed, or it is of an architecture that is not trained.
    """
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--preset", default="default")
    preset, rest = parser.parse_known_args(arguments)
    if preset.preset not in PRESETS:
        raise ValueError(f"--preset: got {preset.preset}, allowed: {', '.join(PRESETS)}")
    description = f"Train on a file of ratings. --preset {{{','.join(PRESETS)}}} sets the defaults shown here."
    config = tyro.cli(
        TrainConfig,
        prog="python -m train",
        description=description,
        default=PRESETS[preset.preset],
        args=rest,
        console_outputs=distributed.speaks(),
    )
    _refuse_other_architecture(config.architecture, rest)
    return config


def _refuse_to_replace(config: TrainConfig) -> None:
    target = config.out / ARTIFACT
    if target.exists():
        raise ValueError(
            f"{target}: is there already, and a version is never replaced: give another --out and --version"
        )


def _refuse_other_architecture(architecture: str, arguments: list[str]) -> None:
    """An option of an architecture that is not trained would change nothing, and nobody would notice."""
    for other in ARCHITECTURES.keys() - {architecture}:
        for option in (one.split("=")[0] for one in arguments if one.startswith(f"--{other}.")):
            raise ValueError(
                f"{option}: an option of architecture {other}, and {architecture} is what is trained: "
                f"leave it out, or add --architecture {other}"
            )


def _complain(text: str) -> None:
    if distributed.speaks():
        print(f"train: {text}", file=sys.stderr)


def _tell(config: TrainConfig, metrics: dict[str, Any]) -> None:
    """Prints the errors, what was chosen, how fast it was, and what was written."""
    if metrics["metrics"]:
        print(format_table(metrics["metrics"]))
    chosen = ", ".join(f"{name} {value}" for name, value in metrics["chosen"].items())
    print(f"chosen: {chosen}; trained in {metrics['training_s']:.1f} s, {metrics['rows_per_s']:,} ratings/s")
    print(f"wrote {config.out / ARTIFACT}, digest {metrics['digest'][:16]}")


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    os._exit(status) if status == 130 else sys.exit(status)
