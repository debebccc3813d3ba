"""`python -m ops.predict --body JSON`: sends a request to this folder's server, at its address and with its key.

It prints the unchanged answer. The exit status is 1 if the server refused or does not run.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import httpx

from ops.client import Client, ClientError
from ops.command import failing_in_one_line
from ops.settings import read_settings

BODY = '{"user_id": 1, "top_k": 3}'


def main(arguments: list[str] | None = None) -> None:
    """Asks once."""
    parser = argparse.ArgumentParser(prog="python -m ops.predict", description=__doc__.splitlines()[0])
    parser.add_argument("--body", default=BODY, help="the request's JSON")
    parser.add_argument("--version", help="the version to ask (default: the default version)")
    options = parser.parse_args(arguments)
    with failing_in_one_line("predict", (ClientError, ValueError, OSError), "predict: interrupted"):
        client = Client(read_settings(Path("config.properties"), Path.cwd()))
        answer = client.answer(options.body.encode(), options.version)
        if answer.status == httpx.codes.NOT_FOUND and options.version is not None:
            _tell_versions(client, options.version)
        sys.stdout.write(answer.body.decode(errors="replace").rstrip("\n") + "\n")
        sys.exit(1 if answer.status >= httpx.codes.BAD_REQUEST else 0)


def _tell_versions(client: Client, version: str) -> None:
    """Says which versions there are, where the one that was asked is none: the server's own answer does not."""
    served = [one["version"] for one in client.versions()]
    if version not in served:
        print(f"predict: VERSION: got {version!r}, allowed: {', '.join(served)}", file=sys.stderr)


if __name__ == "__main__":
    main()
