"""`python -m bench.gpu`: checks the GPU path within eight minutes: tests, speed in process, training, serving.

Every section runs in a process of its own (bench/gpu/frame.py). What is late is stopped, and what it had found by then
stays. `--device cpu` tries the check itself on a machine without a GPU, best with `--small`.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import torch

from bench.gpu.card import describe_card
from bench.gpu.frame import run_sections
from bench.gpu.report import report, results
from bench.gpu.section import Context, Section
from bench.gpu.sections import SECTIONS
from bench.machine import describe_machine, machine_line
from bench.options import artifact_parser, check, positive
from bench.publish import as_json, publish
from model.files import atomic_write

BUDGET_S = 480
# Of the budget, for the start of this program, and for writing the results.
_OWN_S = 10


def main(arguments: Sequence[str] | None = None, sections: Sequence[Section] = SECTIONS) -> int:
    """Runs the sections and publishes the section `gpu`; returns 1 if anything failed, else 0."""
    started = time.time()
    parser = _parser()
    options = parser.parse_args(arguments)
    check(parser, options.artifact)
    if options.kmrd is not None and not (options.kmrd / "rates.csv").is_file():
        parser.error(f"--kmrd: there is no rates.csv in {options.kmrd}; `make data` downloads KMRD")
    if options.device == "cuda" and not torch.cuda.is_available():
        parser.error("there is no GPU that torch can use; `--device cpu --small` tries the check on the processor")
    kmrd = None if options.kmrd is None else options.kmrd.resolve()
    ends_at = started + options.budget - _OWN_S
    context = Context(options.device, options.small, options.artifact.resolve(), kmrd, ends_at)
    card = describe_card() if options.device == "cuda" else {}
    machine = describe_machine(options.artifact)
    found = []
    for one in run_sections(sections, context):
        found.append(one)
        print(f"{one.name}: {one.seconds:.0f} s, {len(one.rows)} rows, {one.failures} failed", flush=True)
    figures = {**machine, "seconds": round(time.time() - started, 1), **results(context, card, found)}
    text = report(context, card, found)
    if options.out is not None:
        _write(options.out, as_json(figures), f"{machine_line(machine)}\n\n{text}\n")
    # A trial on the processor does not replace figures of a GPU.
    options.write_nothing = options.write_nothing or options.device == "cpu" or options.out is not None
    publish("gpu", figures, text, options)
    return int(any(one.failures for one in found))


def _parser() -> argparse.ArgumentParser:
    parser = artifact_parser("bench.gpu", __doc__)
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda", help="cpu tries the check without a GPU")
    parser.add_argument(
        "--small", action="store_true", help="the smallest sizes: a trial of a few minutes on two cores"
    )
    parser.add_argument("--kmrd", type=Path, help="KMRD's folder; without it, trainings use the embedded data")
    parser.add_argument("--budget", type=positive, default=BUDGET_S, help="seconds after which everything has ended")
    parser.add_argument("--out", type=Path, help="write gpu.json and gpu.md into this folder, and nowhere else")
    return parser


def _write(folder: Path, figures: bytes, text: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in (("gpu.json", figures), ("gpu.md", text.encode())):
        with atomic_write(folder / name) as partial:
            partial.write_bytes(content)


if __name__ == "__main__":
    sys.exit(main())
