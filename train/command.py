"""How every command of this room ends: with a few lines and status 0, or with what went wrong and status 2."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable

from safetensors import SafetensorError

from model.terminal import begin_work
from train.errors import DivergedError

# The errors whose message is meant for the user. Any other is a fault of ours, with its traceback.
_TOLD = (ValueError, OSError, DivergedError, SafetensorError)
# The status of a command that was called with wrong options.
_USAGE = 2
# torchrun ends all processes as soon as one has failed. So the others wait, for the first one to say why.
_AFTER_THE_FIRST_S = 30.0


def run_command(name: str, body: Callable[[], str], interrupted: str = "nothing was overwritten") -> int:
    """Runs the body of a command and returns the exit status: 0, 2 after an error, 130 after a Ctrl-C.

    body: returns what to print on standard output, or "". interrupted: what a Ctrl-C leaves.
    Of several processes, the first one says what went wrong. If it has not ended this one after 30 s, the error is this
    process's own, and this process says it.
    """
    begin_work()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that partial files are cleaned up
    try:
        text = body()
    except _TOLD as error:
        _let_the_first_speak()
        print(f"{name}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        if speaks():
            print(f"{name}: interrupted; {interrupted}", file=sys.stderr)
        return 130
    except SystemExit as stop:  # of the options, or of a signal
        if stop.code == _USAGE:
            _let_the_first_speak()
        raise
    if text:
        print(text)
    return 0


def speaks() -> bool:
    """Whether this process prints errors: the first process of each host does, even before it joins the group."""
    return os.environ.get("LOCAL_RANK", "0") == "0"


def _let_the_first_speak() -> None:
    if not speaks():
        time.sleep(_AFTER_THE_FIRST_S)
