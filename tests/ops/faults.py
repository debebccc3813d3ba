"""A fault at any step: one of the calls that a verb makes fails, before or after it has happened."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

Step = tuple[Any, str]
"""The module or class that the verb looks a function up in, and the function's name."""


def fail_at(
    patch: pytest.MonkeyPatch, steps: Iterable[Step], number: int, fault: BaseException, after: bool
) -> list[str]:
    """Makes call `number` of all steps raise the fault; returns the names of the calls, which grow as they are made."""
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
