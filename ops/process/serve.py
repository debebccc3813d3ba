"""`python -m ops.process.serve start|stop`: what `make serve` and `make stop` do.

`start` starts the server with the present archive. It restarts a server that runs with another archive. It waits for a
real answer, and prints curl lines with their answers. For a server that must restart by itself, use
`python -m ops.process.supervise`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from model.archive import NAME
from model.vocabulary import Vocabulary
from ops import auth
from ops.client import Client, ClientError, KeyRefusedError
from ops.command import failing_in_one_line
from ops.page import page_address
from ops.process import preflight, server
from ops.process.exchange import can_exchange, exchange_versions
from ops.process.locks import starting_or_stopping, stop_supervisor, supervisor
from ops.process.state import STOP_TIMEOUT_S, ServerError
from ops.settings import ASGI, TITLES, ServerSettings, read_settings
from ops.store.archives import start_version, trying_to_start_with
from ops.undo import undone_on_failure


def serve(settings: ServerSettings, version: str, tokens: str | None = None) -> None:
    """Makes a server run that serves this version's present archive as the default.

    tokens: `on` or `off`, remembered if the start succeeds; None takes the remembered choice.

    Raises:
        ServerError, ClientError: the start failed. The former server runs again, with its version and its tokens. If
            the error was found early, or if a supervisor watches the server, it was not stopped at all.
    """
    preflight.check_version(settings, version)
    with starting_or_stopping(settings), undone_on_failure() as undo:
        former = server.settings_as_started(settings)
        with auth.trying(settings, tokens):
            if server.is_current(settings, version) and default_version(settings) == version:
                return
            if can_exchange(settings):
                with trying_to_start_with(settings.model_store, version):
                    print("replacing the processes, one by one ...", flush=True)
                    exchange_versions(settings)
                return
            _check_start(settings)
            if former is not None:  # undone last, after the former version and tokens are restored
                print(_told_of_restart(start_version(settings.model_store), version), flush=True)
                undo.add("start the former server again", lambda: _bring_back(former))
            else:
                undo.add("stop the server that failed to start", lambda: server.stop(settings))
            with trying_to_start_with(settings.model_store, version):
                server.stop(settings)
                print(f"starting {TITLES[settings.server]} ...", flush=True)
                server.start(settings)
                server.wait_until_ready(settings)


def _told_of_restart(before: str | None, version: str) -> str:
    changed = f": its default version was {before} and will be {version}" if before not in (None, version) else ""
    return f"stopping the running server{changed}"


def _bring_back(former: ServerSettings) -> None:
    if server.running(former) is not None and default_version(former) == start_version(former.model_store):
        return  # it was not stopped
    server.stop(former)
    print("starting the former server again ...", flush=True)
    server.start(former)
    server.wait_until_ready(former)


def _check_start(settings: ServerSettings) -> None:
    if (pid := supervisor(settings)) is not None:
        told = f"a supervisor runs here, PID {pid}, and its server has other settings"
        raise ServerError(f"{told}: `make promote` changes its version; for the rest, `make stop`, then start it again")
    preflight.check_server(settings)
    preflight.check_addresses(settings, server.running(settings))


def stop(settings: ServerSettings) -> bool:
    """Stops the supervisor, which would restart the server, and then the server. False if neither was running."""
    if supervisor(settings) is not None or server.running(settings) is not None:
        print(f"stopping: requests in flight are answered first, for up to {STOP_TIMEOUT_S:.0f} s ...", flush=True)
    supervised = stop_supervisor(settings)
    with starting_or_stopping(settings):
        return server.stop(settings) or supervised


def default_version(settings: ServerSettings) -> str | None:
    """The default version of the running server; None if there is none, or no server.

    Raises:
        KeyRefusedError: the server runs and refuses the key.
    """
    try:
        return next((one["version"] for one in Client(settings).versions() if one["default"]), None)
    except KeyRefusedError:
        raise
    except ClientError:
        return None


def examples(settings: ServerSettings) -> Iterator[tuple[str, str]]:
    """curl lines for the served model, each with its answer."""
    token = ' -H "Authorization: Bearer $(make -s token)"' if auth.is_on(settings) else ""
    for body in _example_bodies(Client(settings).describe()):
        url = f"{settings.inference.removeprefix('http://')}/predictions/{NAME}"
        text = json.dumps(body, ensure_ascii=False)
        yield f"curl -s {url}{token} -H 'Content-Type: application/json' -d {_quoted(text)}", _curl(settings, url, text)


def _example_bodies(metadata: dict[str, Any]) -> list[dict[str, Any]]:
    """Requests with ids of the model. If the metadata names no ids, it is a request that needs none."""
    example = metadata.get("example")
    if example is None:
        return [{"instances": [{"ratings": [], "top_k": 3}]}]
    words = Vocabulary.of(metadata)
    user_id, item_ids = example["user_id"], example[words.item_ids]
    return [
        {"user_id": user_id, words.item_id: item_ids[0]},
        {"user_id": user_id, words.item_ids: item_ids},
        {"user_id": user_id, "top_k": 3},
        {"instances": [{"user_id": user_id, words.item_id: item} for item in (item_ids[-1], None)]},
    ]


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def _curl(settings: ServerSettings, url: str, body: str) -> str:
    """Runs curl. The key goes through a pipe, because every user of the host can read a command's arguments."""
    command = ["curl", "-s", "--noproxy", "*", url, "-H", "@-", "-H", "Content-Type: application/json", "-d", body]
    header = auth.header(settings)
    return subprocess.run(command, input=header, capture_output=True, text=True, check=True).stdout


def main(arguments: list[str] | None = None) -> None:
    """Does one of the verbs."""
    parser = argparse.ArgumentParser(prog="python -m ops.process.serve", description=__doc__.splitlines()[0])
    parser.add_argument("verb", choices=("start", "stop"))
    parser.add_argument("--version", default="1.0")
    parser.add_argument(
        "--auth", help="on: require keys, now and at the next starts; off: require none (default: as before)"
    )
    options = parser.parse_args(arguments)
    interrupted = "serve: interrupted; the former server, if any, runs again"
    with failing_in_one_line("serve", (ServerError, ClientError, ValueError, OSError), interrupted):
        settings = read_settings(Path("config.properties"), Path.cwd(), starting=True)
        if options.verb == "stop":
            print("stopped" if stop(settings) else "no server of this folder is running")
            return
        serve_and_show(settings, options.version, options.auth)


def serve_and_show(settings: ServerSettings, version: str, tokens: str | None) -> None:
    """Serves, then prints curl lines for a first try. Raises the errors of `serve`."""
    serve(settings, version, tokens)
    for line, answer in examples(settings):
        print(f"\n{line}\n{answer}".rstrip())
    print(f"\nServing version {version} at {settings.inference}. `make stop` ends it.")
    if auth.is_on(settings) and settings.server != ASGI:
        print("With AUTH=on, a browser gets the page through nginx: docs/page.md")
    else:
        print(f"The page to look at: {page_address(settings)} (`make open`)")


if __name__ == "__main__":
    main()
