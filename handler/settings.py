"""The policy for unknown ids, the limits that protect a worker, and switches: `handler:` in model-config.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True)
class HandlerSettings:
    """How requests are answered.

    Raises:
        ValueError: a value is outside what its line allows.
    """

    unknown: str = "answer"
    """`answer`: an id the training data did not hold is answered and flagged; `error`: it is refused."""
    max_pairs: int = 100_000
    """Most (user, movie) pairs of one request; one look through the whole catalogue is always allowed."""
    max_top_k: int = 1_000
    """Largest `top_k`."""
    max_explanations: int = 100
    """Most explanations of one request; each costs a backward pass."""
    max_body_bytes: int = 4_194_304
    """Longest body, in bytes."""
    max_ratings: int = 1_000
    """Most `ratings` sent along with one ask."""
    max_answer_bytes: int = 6_553_500
    """Longest answer, in bytes."""
    max_batch_bytes: int = 60_000_000
    """Longest answers of one batch together: below TorchServe's `max_response_size`, past which it ends the worker."""
    max_depth: int = 16
    """Deepest nesting of a body's JSON."""
    max_error_lines_per_s: int = 20
    """Most log lines a second and worker about failed requests."""
    fast_wire: bool = True
    """Read and write TorchServe's worker frames with `handler/wire.py`."""
    metrics_interval_s: float = 5.0
    """Seconds between two emissions of the worker's metrics; 0 emits none."""

    def __post_init__(self) -> None:
        if self.unknown not in ("answer", "error"):
            raise ValueError(f"handler.unknown: got {self.unknown!r}, allowed: answer, error")
        for name in (field.name for field in fields(self) if field.name.startswith("max_")):
            value = getattr(self, name)
            if type(value) is not int or value < 1:
                raise ValueError(f"handler.{name}: got {value!r}, allowed: an integer of at least 1")
        if type(self.fast_wire) is not bool:
            raise ValueError(f"handler.fast_wire: got {self.fast_wire!r}, allowed: true, false")
        interval = self.metrics_interval_s
        if type(interval) not in (int, float) or not 0 <= interval < float("inf"):
            raise ValueError(f"handler.metrics_interval_s: got {interval!r}, allowed: seconds, at least 0")

    @classmethod
    def from_mapping(cls, section: Mapping[str, Any] | None) -> HandlerSettings:
        """Reads the `handler:` section; a key that is not known is an error, not a silent default."""
        allowed = {field.name for field in fields(cls)}
        unexpected = sorted(set(section or {}) - allowed)
        if unexpected:
            raise ValueError(f"handler.{unexpected[0]}: no such setting, allowed: {', '.join(sorted(allowed))}")
        return cls(**(section or {}))
