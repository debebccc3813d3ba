"""Describes the GPU, or says that there is none."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from typing import Any

import torch


def describe_card() -> dict[str, Any]:
    """Name, memory, number and compute capability of the GPUs, and the versions of CUDA and of the driver.

    Raises:
        RuntimeError, AssertionError: there is no GPU that torch can use.
    """
    found = torch.cuda.get_device_properties(0)
    return {
        "name": found.name,
        "number": torch.cuda.device_count(),
        "memory_gib": round(found.total_memory / 2**30, 1),
        "capability": f"{found.major}.{found.minor}",
        "cuda": torch.version.cuda,
        "driver": _driver(),
    }


def card_line(card: Mapping[str, Any], device: str) -> str:
    """The device of a check in one sentence."""
    if device == "cpu":
        return "**A trial on the processor: no line of it says anything about a GPU.**"
    return (
        f"{card['number']} x {card['name']}, {card['memory_gib']} GiB, compute capability {card['capability']}, "
        f"CUDA {card['cuda']}, driver {card['driver']}."
    )


def _driver() -> str:
    if shutil.which("nvidia-smi") is None:
        return "unknown"
    command = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    lines = subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()
    return lines[0].strip() if lines else "unknown"
