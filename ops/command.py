"""How a command ends when it fails: with one line and an exit status."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from model.terminal import begin_work

TRACEBACK = "TRACEBACK"


@contextmanager
def failing_in_one_line(prefix: str, errors: tuple[type[Exception], ...], interrupted: str) -> Iterator[None]:
    """Ends the process: status 1 and `PREFIX: the error` after an exception, 130 and `interrupted` after a Ctrl-C.

    errors: exceptions with a message for the user. Any other exception is a bug. Then the line also names its type and
    place, and with `TRACEBACK=1` in the environment the whole traceback follows.
    """
    begin_work()
    try:
        yield
    except errors as error:
        print(f"{prefix}: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print(interrupted, file=sys.stderr)
        sys.exit(130)
    except Exception as error:
        if os.environ.get(TRACEBACK):
            raise
        place = traceback.extract_tb(error.__traceback__)[-1]
        told = f"{type(error).__name__}: {error} ({Path(place.filename).name}:{place.lineno})"
        print(f"{prefix}: a fault of this program: {told}; {TRACEBACK}=1 shows where it comes from", file=sys.stderr)
        sys.exit(1)
