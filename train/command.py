"""How every command of this room ends: with a few lines and status 0, or with what went wrong and status 2."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable

from safetensors import SafetensorError

from train.errors import DivergedError

# The errors whose message is meant for the user. Any other is a fault of ours, with its traceback.
_TOLD = (ValueError, OSError, DivergedError, SafetensorError)


def run_command(name: str, body: Callable[[], str], interrupted: str = "nothing was overwritten") -> int:
    """Runs the body of a command and returns the exit status: 0, 2 after an error, 130 after a Ctrl-C.

    body: returns what to print on standard output, or "". interrupted: what a Ctrl-C leaves.
    Of several processes only one says what went wrong.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that partial files are cleaned up
    try:
        text = body()
    except _TOLD as error:
        return _fail(f"{name}: {error}", 2)
    except KeyboardInterrupt:
        return _fail(f"{name}: interrupted; {interrupted}", 130)
    if text:
        print(text)
    return 0


def speaks() -> bool:
    """Whether this process prints errors: the first process of each host does, even before it joins the group."""
    return os.environ.get("LOCAL_RANK", "0") == "0"


def _fail(text: str, status: int) -> int:
    if speaks():
        print(text, file=sys.stderr)
    return status
