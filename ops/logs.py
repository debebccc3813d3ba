"""`python -m ops.logs`: prints the last lines of the server's log; `--follow` also prints new lines until Ctrl-C."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
from pathlib import Path

# TorchServe's log, and the output of the server and its workers.
LOGS = (Path("logs/ts.log"), Path("logs/console.log"))


def command(lines: int, follow: bool) -> list[str]:
    """The `tail` command that prints the logs. It follows names, because TorchServe replaces its log when it is full.

    Raises:
        FileNotFoundError: there is no log.
    """
    found = [str(path) for path in LOGS if path.exists()]
    if not found:
        raise FileNotFoundError(
            f"{LOGS[0]}: no such file: this folder has not started a server yet: `make serve` starts one"
        )
    return ["tail", "-n", str(lines), *(["-F"] if follow else []), *found]


def main(arguments: list[str] | None = None) -> None:
    """Becomes `tail`."""
    parser = argparse.ArgumentParser(prog="python -m ops.logs", description=__doc__.splitlines()[0])
    parser.add_argument("--lines", type=int, default=40, help="how many lines of each file")
    parser.add_argument("--follow", action="store_true", help="also print new lines until Ctrl-C")
    options = parser.parse_args(arguments)
    try:
        words = command(options.lines, options.follow)
    except FileNotFoundError as error:
        sys.exit(f"logs: {error}")
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # so that `tail` ends with its reader
    os.execv(str(shutil.which(words[0])), words)  # noqa: S606  our own words, and no shell


if __name__ == "__main__":
    main()
