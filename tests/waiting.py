"""Waits for a condition. Only a test that hangs reaches the deadline, on a slow and busy machine too."""

import time
from collections.abc import Callable

DEADLINE_S = 240.0


def wait_until(true: Callable[[], object], what: str | Callable[[], str], pause_s: float = 0.05) -> None:
    """Returns once `true()` is true; fails with `what` after the deadline."""
    deadline = time.monotonic() + DEADLINE_S
    while not true():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {DEADLINE_S:.0f} s: {what if isinstance(what, str) else what()}")
        time.sleep(pause_s)
