"""`python -m ops.logs`: the last lines of the server's log; `--follow` goes on printing until Ctrl-C."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path

# TorchServe's log, and what the server and its workers printed at the start.
LOGS = (Path("logs/ts.log"), Path("logs/console.log"))


def command(lines: int, follow: bool) -> list[str]:
    """The `tail` command that prints them; TorchServe replaces its log when it is full, so a name is followed.

    Raises:
        FileNotFoundError: there is no log.
    """
    found = [str(path) for path in LOGS if path.exists()]
    if not found:
        raise FileNotFoundError(
            f"{LOGS[0]}: no such file: no server was started in this folder: `make serve` starts one"
        )
    return ["tail", "-n", str(lines), *(["-F"] if follow else []), *found]


def main(arguments: list[str] | None = None) -> None:
    """Becomes `tail`."""
    parser = argparse.ArgumentParser(prog="python -m ops.logs", description=__doc__.splitlines()[0])
    parser.add_argument("--lines", type=int, default=40, help="how many lines of each file")
    parser.add_argument("--follow", action="store_true", help="go on printing what is added")
    options = parser.parse_args(arguments)
    try:
        words = command(options.lines, options.follow)
    except FileNotFoundError as error:
        sys.exit(f"logs: {error}")
    sys.stdout.flush()
    os.execv(str(shutil.which(words[0])), words)  # noqa: S606  our own words, and no shell


if __name__ == "__main__":
    main()
