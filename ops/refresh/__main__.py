"""`python -m ops.refresh`: make a version from new ratings, judge it, and serve it if it is better.

The exit status is 0 for any verdict, and 1 if a step failed. The next run then resumes at that step.
"""

from __future__ import annotations

import argparse
import fcntl
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ops.build.commands import CommandError
from ops.build.shelf import BUILD, Shelf
from ops.client import Client, ClientError
from ops.command import failing_in_one_line
from ops.process.state import ServerError
from ops.refresh.inputs import RefreshError
from ops.refresh.log import Log
from ops.refresh.metrics import FAILED, Outcome, write_metrics
from ops.refresh.night import Night, Wanted
from ops.refresh.way import Limits
from ops.settings import read_settings
from ops.versions.checks import RolloutError

LOG, TEXTFILE = Path("logs") / "refresh.log", Path("logs") / "refresh.prom"
KNOWN = (RefreshError, RolloutError, CommandError, ServerError, ClientError, ValueError, OSError)


def refresh(night: Callable[[], Outcome], log: Log, textfile: Path) -> Outcome:
    """One run. Its end is in the log and in the metrics, even after a failure."""
    started, outcome = time.monotonic(), Outcome(FAILED)
    log.say("refresh begins")
    try:
        outcome = night()
    except BaseException as error:
        log.say(f"failed: {_in_words(error)}; the next run goes on from here")
        raise
    finally:
        write_metrics(textfile, outcome, time.monotonic() - started)
    log.say(f"refresh ends: {outcome.name}; version {outcome.default} is the default")
    return outcome


def _in_words(error: BaseException) -> str:
    if isinstance(error, KeyboardInterrupt):
        return "interrupted"
    return str(error) if isinstance(error, KNOWN) else f"{type(error).__name__}: {error}"


@contextmanager
def alone(build: Path) -> Iterator[None]:
    """Prevents other runs during the block. The kernel releases the lock however this process ends.

    Raises:
        RefreshError: another run is in progress.
    """
    build.mkdir(exist_ok=True)
    with (build / ".refresh.lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RefreshError("another refresh runs in this folder: wait until it has ended") from None
        yield


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    """Parses the options; a value that is not allowed ends the process."""
    parser = argparse.ArgumentParser(prog="python -m ops.refresh", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--data", help="all ratings, old and new (default: the source of the default version's ratings)"
    )
    parser.add_argument(
        "--requests", type=Path, help="a file with one body per line, or nginx's log (default: drawn at random)"
    )
    parser.add_argument("--keep", type=int, default=5, help="how many of the refreshed versions to keep")
    parser.add_argument(
        "--drift",
        type=float,
        default=0.1,
        help="train if a larger share of the ratings is newer than the last training",
    )
    parser.add_argument("--days", type=float, default=7.0, help="train if the last training is older than this")
    parser.add_argument("--textfile", type=Path, default=TEXTFILE, help="metrics for node_exporter")
    parser.add_argument("--config", type=Path, default=Path("config.properties"))
    options = parser.parse_args(arguments)
    for name, allowed, rule in (
        ("keep", options.keep >= 1, "at least 1"),
        ("drift", options.drift >= 0, "at least 0"),
        ("days", options.days >= 0, "at least 0"),
    ):
        if not allowed:
            parser.error(f"--{name}: got {getattr(options, name):g}, allowed: {rule}")
    return options


def main(arguments: list[str] | None = None) -> None:
    """Runs one refresh."""
    options = parsed(arguments)
    for number in (signal.SIGTERM, signal.SIGHUP):  # undo what was begun, as after a Ctrl-C
        signal.signal(number, signal.default_int_handler)
    with failing_in_one_line("refresh", KNOWN, "refresh: interrupted; the next run goes on from here"), alone(BUILD):
        settings = read_settings(options.config, Path.cwd())
        limits = Limits(options.drift, options.days)
        wanted = Wanted(options.data, options.requests, limits, options.keep)
        log = Log(LOG)
        night = Night(wanted, Shelf(BUILD, settings.model_store), settings, Client(settings), log)
        refresh(night.run, log, options.textfile)
    sys.stdout.flush()


if __name__ == "__main__":
    main()
