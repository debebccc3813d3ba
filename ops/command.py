"""How a command ends that cannot do what it was asked for: one line, and the exit status that goes with it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def failing_in_one_line(prefix: str, errors: tuple[type[Exception], ...], interrupted: str) -> Iterator[None]:
    """Ends the process: status 1 and `PREFIX: the error` after one of these, 130 and `interrupted` after a Ctrl-C.

    Any other exception is a fault of ours, and keeps its traceback.
    """
    try:
        yield
    except errors as error:
        print(f"{prefix}: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print(interrupted, file=sys.stderr)
        sys.exit(130)
