"""The policy for unknown ids, the limits that protect a worker, and switches: `handler:` in model-config.yaml.

`python -m handler.settings model-config.yaml` checks that file and names an error in one line. Packaging runs it, so
that no archive is made whose worker would end at its start.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from types import NoneType
from typing import Any

import yaml

# TorchServe reads these as whole numbers, each at least so large. It silently ignores a value of another type.
_TORCHSERVE = {
    "batchSize": 1,
    "maxBatchDelay": 1,
    "responseTimeout": 1,
    "startupTimeout": 1,
    "minWorkers": 0,
    "maxWorkers": 0,
}


@dataclass(frozen=True)
class HandlerSettings:
    """How requests are answered.

    Raises:
        ValueError: a value is not in the range that its docstring gives.
    """

    unknown: str = "answer"
    """`answer`: an id that the training data did not hold is answered and flagged; `error`: it is rejected."""
    max_pairs: int = 100_000
    """Most (user, movie) pairs of one request; one ranking of the whole catalogue is always allowed."""
    max_top_k: int = 1_000
    """Largest `top_k`."""
    max_explanations: int = 100
    """Most explanations of one request; each may cost a backward pass."""
    max_body_bytes: int = 4_194_304
    """Longest body, in bytes."""
    max_ratings: int = 1_000
    """Most `ratings` sent along with one ask."""
    max_answer_bytes: int = 6_553_500
    """Longest answer, in bytes."""
    max_batch_bytes: int = 60_000_000
    """Most bytes of a batch's answers together. TorchServe ends a worker that passes its `max_response_size`."""
    max_depth: int = 16
    """Deepest nesting of a body's JSON."""
    max_error_lines_per_s: int = 20
    """Most log lines a second and worker about failed requests."""
    page: bool = True
    """Answer browsers, which accept text/html, with the page."""
    list_users: bool = True
    """Answer the ask `users`, which tells ids of known users."""
    fast_wire: bool = True
    """Read and write TorchServe's worker frames with `handler/frames.py`."""
    metrics_interval_s: float = 5.0
    """Seconds between two emissions of the worker's metrics; 0 emits none."""

    def __post_init__(self) -> None:
        if self.unknown not in ("answer", "error"):
            raise ValueError(f"handler.unknown: got {self.unknown!r}, allowed: answer, error")
        for name in (field.name for field in fields(self) if field.name.startswith("max_")):
            value = getattr(self, name)
            if type(value) is not int or value < 1:
                raise ValueError(f"handler.{name}: got {value!r}, allowed: an integer of at least 1")
        for name in ("page", "list_users", "fast_wire"):
            if type(getattr(self, name)) is not bool:
                raise ValueError(f"handler.{name}: got {getattr(self, name)!r}, allowed: true, false")
        interval = self.metrics_interval_s
        if type(interval) not in (int, float) or not 0 <= interval < float("inf"):
            raise ValueError(f"handler.metrics_interval_s: got {interval!r}, allowed: seconds, at least 0")

    @classmethod
    def from_mapping(cls, section: Mapping[str, Any] | None) -> HandlerSettings:
        """Reads the `handler:` section; an unknown key is an error."""
        allowed = {field.name for field in fields(cls)}
        unexpected = sorted(set(section or {}) - allowed)
        if unexpected:
            raise ValueError(f"handler.{unexpected[0]}: no such setting, allowed: {', '.join(sorted(allowed))}")
        return cls(**(section or {}))


def check_config(config: Any) -> None:
    """Checks a whole model-config.yaml.

    Raises:
        ValueError: what was got, what is allowed, and where.
    """
    if not isinstance(config, dict):
        raise ValueError(f"got {type(config).__name__}, expected names with values, as in `batchSize: 48`")
    for name, least in _TORCHSERVE.items():
        value = config.get(name, least)
        if type(value) is not int or value < least:
            raise ValueError(f"{name}: got {value!r}, allowed: an integer of at least {least}")
    section = config.get("handler")
    if not isinstance(section, dict | NoneType):
        raise ValueError(f"handler: got {section!r}, expected names with values, as in `max_top_k: 1000`")
    HandlerSettings.from_mapping(section)


def main() -> None:
    """Checks the file that the command line names."""
    try:
        check_config(yaml.safe_load(Path(sys.argv[1]).read_text(encoding="utf-8")))
    except yaml.YAMLError as error:
        sys.exit(f"{sys.argv[1]}: no YAML: {' '.join(str(error).split())}")
    except (ValueError, OSError) as error:
        sys.exit(f"{sys.argv[1]}: {error}")


if __name__ == "__main__":
    main()
