"""Injects a fault at any step: one call of a verb fails, before or after its effect."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

Step = tuple[Any, str]
"""The module or class in which the verb looks up a function, and the function's name."""


def fail_at(
    patch: pytest.MonkeyPatch, steps: Iterable[Step], number: int, fault: BaseException, after: bool
) -> list[str]:
    """Makes call `number` of all steps raise the fault. Returns a list that collects the names of the calls."""
    calls: list[str] = []

    def counted(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            calls.append(name)
            mine = len(calls) == number
            if mine and not after:
                raise fault
            result = real(*arguments, **options)
            if mine:
                raise fault
            return result

        return call

    for owner, name in steps:
        patch.setattr(owner, name, counted(f"{getattr(owner, '__name__', owner)}.{name}", getattr(owner, name)))
    return calls
