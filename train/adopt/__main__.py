"""`python -m train.adopt`: makes an artifact from a network that was trained elsewhere."""

from __future__ import annotations

import sys

import torch
import tyro

from model.archive import MODEL_CARD
from model.artifact import describe_artifact, save_artifact
from train.adopt.adopt import adopt
from train.adopt.config import AdoptConfig
from train.command import run_command
from train.errors import DataError
from train.evaluation.model_card import model_card
from train.output import ARTIFACT


def run(config: AdoptConfig) -> str:
    """Checks the network, and writes artifact and model card under `config.out`; returns the lines to print."""
    torch.set_num_threads(1)  # as in training
    target = config.out / ARTIFACT
    if target.exists():
        raise DataError(f"{target}: already exists, and a version is never replaced: give another --out and --version")
    adopted = adopt(config)
    config.out.mkdir(parents=True, exist_ok=True)
    digest = save_artifact(adopted.artifact, target)
    card = model_card(describe_artifact(adopted.artifact, digest))
    (config.out / MODEL_CARD).write_text(card, encoding="utf-8")
    return f"{adopted.reading.text()}\nwrote {target}, digest {digest[:16]}"


def main(arguments: list[str] | None = None) -> int:
    """Parses options and adopts; returns the exit status."""
    given = sys.argv[1:] if arguments is None else arguments
    return run_command("adopt", lambda: run(tyro.cli(AdoptConfig, prog="python -m train.adopt", args=given)))


if __name__ == "__main__":
    sys.exit(main())
