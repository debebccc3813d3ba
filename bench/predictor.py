"""What one process does with the same bytes and no server: the limit that a served figure is measured against.

`python -m bench.predictor --artifact build/1.0/ncf.pt` prints pairs per second of one core, from bytes to bytes.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import torch

from bench.workloads import Workload, workloads
from handler.codec import make_codec
from handler.request import Incoming
from handler.settings import HandlerSettings
from model.artifact import Artifact, load_artifact
from model.predictor import Predictor

_ROUNDS = 5


def pairs_per_s(artifact: Artifact, workload: Workload, seconds: float = 1.0) -> float:
    """Median over rounds of the pairs that one core rates per second: decode, predict, encode."""
    torch.set_num_threads(1)
    codec = make_codec(artifact, HandlerSettings(), "ncf", "1.0")
    predictor = Predictor(artifact)
    rounds = []
    for _ in range(_ROUNDS):
        answered, start = 0, time.perf_counter()
        while (spent := time.perf_counter() - start) < seconds / _ROUNDS:
            body = workload.bodies[answered % len(workload.bodies)]
            request = codec.decode(Incoming({"body": body}, {}))
            request.encode(predictor.answer(request.asks))
            answered += 1
        rounds.append(answered * workload.pairs / spent)
    return float(np.median(rounds))


def main() -> None:
    """Prints one line per workload."""
    parser = argparse.ArgumentParser(prog="python -m bench.predictor", description=__doc__)
    parser.add_argument("--artifact", type=Path, default=Path("build/1.0/ncf.pt"))
    artifact = load_artifact(parser.parse_args().artifact)
    for name, workload in workloads(artifact).items():
        print(f"{name:10} {pairs_per_s(artifact, workload):12,.0f} pairs/s in one process, one core")


if __name__ == "__main__":
    main()
