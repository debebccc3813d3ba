"""`python -m ops.process.supervise`: keeps the server up, in the foreground, until SIGTERM, SIGINT or SIGHUP.

The supervisor restarts the front end (JVM) when that ends, or when it reports no ready worker for a long time. Before
each restart it pauses; the pause doubles while the server does not stay up. TorchServe itself restarts a worker that
ended, but it gives up after five minutes of failures and does not report that. If the first start fails, the supervisor
prints the reason and ends.
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
# After a server was up this long, the next pause is the first one again.
STEADY_S = 120.0
LOOK_S, ASK_S = 0.5, 5.0
# A server that hangs rarely ends by itself, so it is killed soon.
HANGING_TIMEOUT_S = 5.0


def supervise(settings: ServerSettings, version: str, tokens: str | None, unanswered_s: float) -> None:
    """Starts the server, or takes over one that an earlier supervisor left. Then watches it and never returns.

    version: the default version of the first start; a restart uses the default of that time.
    tokens: `on` or `off`, remembered if the first start succeeds; None takes the remembered choice.

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
                _say(f"the start failed: {_one_line(error)}")


def _check_start(settings: ServerSettings, wanted: str | None) -> str:
    """The version to start with. A start that cannot succeed fails here, before a running server is stopped for it.

    Raises:
        ServerError: the start cannot succeed.
    """
    version = wanted or start_version(settings.model_store)
    if version is None:
        advice = "run `make package`, or restore the model store"
        raise ServerError(f"{settings.model_store}: it records no version: {advice}")
    with starting_or_stopping(settings):
        preflight.check_server(settings)
        preflight.log_format()
        preflight.check_version(settings, version)
        preflight.check_addresses(settings, server.running(settings))
    return version


def _left(settings: ServerSettings) -> int | None:
    """The PID of a server that a killed supervisor left, if it serves what a start would serve now.

    Any other server that was left is stopped.
    """
    pid, version = server.running(settings), start_version(settings.model_store)
    if pid is not None and version is not None and server.is_current(settings, version) and _look(settings)[0]:
        _say(f"PID {pid} was left by another supervisor and answers: watching it")
        return pid
    if server.stop(settings):
        _say(f"PID {pid} was left by another supervisor: ended it")
    return None


def _start(settings: ServerSettings) -> int:
    """Returns the PID of a server that answers. A server that does not answer is stopped."""
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
    """Returns when the server must be restarted, with the reason."""
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
            _say(f"cannot see the workers any more, because the server refuses the key: {refusal}")
        said = refusal
        asked = time.monotonic()
        if alive:
            ready = asked
        if asked - ready > unanswered_s:
            return f"has reported no ready worker for {asked - ready:.0f} s"


def _look(settings: ServerSettings) -> tuple[bool, str | None]:
    """Whether the front end reports a ready worker of the default version, and its refusal of the key, if there is one.

    This does not ask a worker: an overloaded worker would not answer, and a restart would not help. A front end that
    refuses an expired key is alive too, and a restart would end the keys of all clients.
    """
    try:
        return Client(settings, timeout_s=ASK_S).has_ready_worker(), None
    except KeyRefusedError as error:
        return True, str(error)
    except ClientError:
        return False, None


def _reap() -> None:
    """Reaps ended children. In a container this is the first process, so orphans become its children."""
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
        help="restart the server after this long without a ready worker",
    )
    parser.add_argument("--version", help="the version to start with (default: the last default version)")
    parser.add_argument(
        "--auth", help="on: require keys, now and at the next starts; off: require none (default: as before)"
    )
    options = parser.parse_args(arguments)
    signals = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    for number in signals:
        signal.signal(number, signal.default_int_handler)
    try:
        settings = read_settings(Path("config.properties"), Path.cwd(), starting=True)
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
