"""`python -m ops.ready`: exit status 0 if the server answers a prediction now, 1 and the reason if it does not.

The one word for "ready" of the container, Kubernetes and systemd. TorchServe's /ping says Healthy before a worker has
loaded the model, and through the minutes in which it tries a worker that cannot. A full queue is ready: whoever took
a replica out for it would send its load to the next one.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import httpx

from ops.client import Client, ClientError
from ops.command import failing_in_one_line
from ops.settings import read_settings

# Somebody of whom nothing is known: a question that every model takes, whatever its ids are.
QUESTION = {"instances": [{"ratings": [], "top_k": 1}]}
PAUSE_S = 0.5


def ask(client: Client) -> str | None:
    """What is wrong, in one line; None where the server is ready."""
    try:
        [prediction] = client.predict(QUESTION)["predictions"]
    except ClientError as error:
        # TorchServe's status and words for a full queue are those for a model without a worker.
        return None if error.status == httpx.codes.SERVICE_UNAVAILABLE and _has_worker(client) else str(error)
    # A network that takes no ratings refuses the question (400), which is an answer too.
    failed = prediction.get("error", {"code": 400})
    return f"{failed['code']} {failed['message']}" if failed["code"] >= 500 else None


def _has_worker(client: Client) -> bool:
    try:
        return client.has_ready_worker()
    except ClientError:
        return False


def main(arguments: list[str] | None = None) -> None:
    """Asks."""
    parser = argparse.ArgumentParser(prog="python -m ops.ready", description=__doc__.splitlines()[0])
    parser.add_argument("--wait-s", type=float, default=0, help="ask again for so long")
    parser.add_argument("--timeout-s", type=float, default=4, help="how long one answer may take")
    options = parser.parse_args(arguments)
    with failing_in_one_line("ready", (ClientError, ValueError, OSError), "ready: interrupted"):
        client = Client(read_settings(Path("config.properties"), Path.cwd()), timeout_s=options.timeout_s)
        deadline = time.monotonic() + options.wait_s
        while (wrong := ask(client)) is not None and time.monotonic() < deadline:
            time.sleep(PAUSE_S)
        if wrong is not None:
            raise ClientError(wrong)


if __name__ == "__main__":
    main()
