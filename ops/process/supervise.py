"""`python -m ops.process.supervise`: keeps the server up, in the foreground, until SIGTERM, SIGINT or SIGHUP.

A front end (JVM) that ends, or that tells of no ready worker for long, is started anew, after a pause that doubles
while it does not stay up. TorchServe itself starts a worker that ended again; but it gives up after five minutes of
failures, and says so nowhere. A first start that fails ends the supervisor, which says why.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from ops import auth
from ops.client import Client, ClientError, KeyRefusedError
from ops.process import preflight, server
from ops.process.locks import only_supervisor, starting_or_stopping
from ops.process.state import ServerError
from ops.settings import ServerSettings, read_settings
from ops.store.archives import start_version, trying_to_start_with

FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0
# A server that was up for so long has the first pause again when it ends.
STEADY_S = 120.0
LOOK_S, ASK_S = 0.5, 5.0
# A server that hangs will hardly end by itself.
HANGING_TIMEOUT_S = 5.0


def supervise(settings: ServerSettings, version: str, tokens: str | None, unanswered_s: float) -> None:
    """Starts the server, or takes over one that an earlier supervisor left; then watches it, and never returns.

    version: the default that it starts with; what becomes the default later is what it starts with later.
    tokens: `on` or `off`, remembered if the first start succeeds; None is what was remembered.

    Raises:
        ServerError, OSError: the first start failed.
        KeyboardInterrupt: a signal; the server is left running.
    """
    with (
        starting_or_stopping(settings),
        auth.trying(settings, tokens),
        trying_to_start_with(settings.model_store, version),
    ):
        pid = _left(settings) or _start(settings)
    pause_s = FIRST_PAUSE_S
    while True:
        began = time.monotonic()
        reason = _watch(settings, unanswered_s)
        if time.monotonic() - began > STEADY_S:
            pause_s = FIRST_PAUSE_S
        _say(f"PID {pid} {reason}")
        with starting_or_stopping(settings):
            server.stop(settings, HANGING_TIMEOUT_S)
        while True:
            _say(f"starting it again in {pause_s:.0f} s")
            time.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
            try:
                with starting_or_stopping(settings):
                    pid = _start(settings)
                break
            except (ServerError, OSError) as error:
                _say(f"it did not come up: {_one_line(error)}")


def _check_start(settings: ServerSettings, wanted: str | None) -> str:
    """The version to start with; what would be ended for a start that cannot succeed goes on.

    Raises:
        ServerError: it cannot.
    """
    version = wanted or start_version(settings.model_store)
    if version is None:
        advice = "run `make package`, or bring the model store back"
        raise ServerError(f"{settings.model_store}: no version is recorded in it: {advice}")
    with starting_or_stopping(settings):
        preflight.log_format()
        preflight.check_version(settings, version)
        preflight.check_addresses(settings, server.running(settings))
    return version


def _left(settings: ServerSettings) -> int | None:
    """The server of a supervisor that was killed, where it serves what a start would serve now; any other is ended."""
    pid, version = server.running(settings), start_version(settings.model_store)
    if pid is not None and version is not None and server.is_current(settings, version) and _look(settings)[0]:
        _say(f"PID {pid} was left by another supervisor and answers: watching it")
        return pid
    if server.stop(settings):
        _say(f"PID {pid} was left by another supervisor: ended it")
    return None


def _start(settings: ServerSettings) -> int:
    """Returns the PID of a server that answers; leaves none that does not."""
    started = time.monotonic()
    pid = server.start(settings)
    _say(f"PID {pid} started")
    try:
        server.wait_until_ready(settings)
    except (ServerError, OSError):
        server.stop(settings)
        raise
    _say(f"PID {pid} answers at {settings.inference} after {time.monotonic() - started:.1f} s")
    return pid


def _watch(settings: ServerSettings, unanswered_s: float) -> str:
    """Returns why the server has to be started anew, once it has."""
    asked = ready = time.monotonic()
    said = None
    while True:
        time.sleep(LOOK_S)
        _reap()
        if server.running(settings) is None:
            return "ended"
        if time.monotonic() - asked < ASK_S:
            continue
        alive, refusal = _look(settings)
        if refusal is not None and refusal != said:
            _say(f"does not see its workers any more, since its key is refused: {refusal}")
        said = refusal
        asked = time.monotonic()
        if alive:
            ready = asked
        if asked - ready > unanswered_s:
            return f"tells of no ready worker for {asked - ready:.0f} s"


def _look(settings: ServerSettings) -> tuple[bool, str | None]:
    """Whether the front end says that a worker of the default version is ready; and how it refused the key, if it did.

    A worker is not asked: under more load than it can take, that would fail too, and a new start would not help. Nor
    would it where the key has expired, which every client of the old one would notice: a front end that refuses, lives.
    """
    try:
        return Client(settings, timeout_s=ASK_S).has_ready_worker(), None
    except KeyRefusedError as error:
        return True, str(error)
    except ClientError:
        return False, None


def _reap() -> None:
    """Collects ended processes that became this one's children, as they do in a container, where it is the first."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass


def _say(event: str) -> None:
    print(f"{datetime.now(UTC).isoformat(timespec='seconds')} supervise: {event}", flush=True)


def _one_line(error: Exception) -> str:
    return " | ".join(str(error).splitlines())


def main(arguments: list[str] | None = None) -> int:
    """Runs until a signal; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m ops.process.supervise", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--unanswered-s",
        type=float,
        default=server.START_TIMEOUT_S,
        help="start it anew after so long without a worker",
    )
    parser.add_argument("--version", help="the version to start with; left out, it stays as it is")
    parser.add_argument("--auth", help="on: ask for tokens, now and at the next starts; off: ask no more")
    options = parser.parse_args(arguments)
    signals = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    for number in signals:
        signal.signal(number, signal.default_int_handler)
    try:
        settings = read_settings(Path("config.properties"), Path.cwd())
        with only_supervisor(settings):
            version = _check_start(settings, options.version)
            try:
                supervise(settings, version, options.auth, options.unanswered_s)
            finally:
                for number in signals:
                    signal.signal(number, signal.SIG_IGN)
                with starting_or_stopping(settings):
                    _say("stopping the server")
                    server.stop(settings)
    except (ServerError, ClientError, ValueError, OSError) as error:
        print(f"supervise: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        _say("stopped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
