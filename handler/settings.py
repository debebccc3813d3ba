"""Limits that protect a worker, and the policy for unknown ids: the `handler:` section of model-config.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True)
class HandlerSettings:
    """How requests are answered.

    Raises:
        ValueError: a value is outside what its comment allows.
    """

    unknown: str = "answer"
    """`answer`: an id the training data did not hold is answered and flagged; `error`: it is refused."""
    max_instances: int = 10_000
    """Most `instances` in one request; at least 1."""
    max_candidates: int = 10_000
    """Most `movie_ids` in one ask; at least 1."""
    max_top_k: int = 1_000
    """Largest `top_k`; at least 1."""

    def __post_init__(self) -> None:
        if self.unknown not in ("answer", "error"):
            raise ValueError(f"handler.unknown: got {self.unknown!r}, allowed: answer, error")
        for name in ("max_instances", "max_candidates", "max_top_k"):
            value = getattr(self, name)
            if type(value) is not int or value < 1:
                raise ValueError(f"handler.{name}: got {value!r}, allowed: an integer of at least 1")

    @classmethod
    def from_mapping(cls, section: Mapping[str, Any] | None) -> HandlerSettings:
        """Reads the `handler:` section; a key that is not known is an error, not a silent default."""
        allowed = {field.name for field in fields(cls)}
        unexpected = sorted(set(section or {}) - allowed)
        if unexpected:
            raise ValueError(f"handler.{unexpected[0]}: no such setting, allowed: {', '.join(sorted(allowed))}")
        return cls(**(section or {}))
