"""How a command ends that cannot do what it was asked for: one line, and the exit status that goes with it."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TRACEBACK = "TRACEBACK"


@contextmanager
def failing_in_one_line(prefix: str, errors: tuple[type[Exception], ...], interrupted: str) -> Iterator[None]:
    """Ends the process: status 1 and `PREFIX: the error` after an exception, 130 and `interrupted` after a Ctrl-C.

    errors: those whose message is meant for the user. Any other exception is a fault of ours: its type and its place
    are told too, and the whole traceback where `TRACEBACK=1` is in the environment.
    """
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
