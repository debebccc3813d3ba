"""`python -m ops.ready`: exit status 0 if the server answers a prediction now, 1 and the reason if it does not.

The container, Kubernetes and systemd all use this test. TorchServe's /ping is not enough: it says Healthy before a
worker has loaded the model, and also while it restarts a failing worker for minutes. A server with a full queue counts
as ready: if it were taken out, its load would overload the next replica.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import httpx

from ops.client import Client, ClientError
from ops.command import failing_in_one_line
from ops.settings import read_settings

# A request about an unknown user: every model can answer it, whatever its ids are.
QUESTION = {"instances": [{"ratings": [], "top_k": 1}]}
PAUSE_S = 0.5


def ask(client: Client) -> str | None:
    """What is wrong, in one line; None if the server is ready."""
    try:
        [prediction] = client.predict(QUESTION)["predictions"]
    except ClientError as error:
        # TorchServe's status and words for a full queue are those for a model without a worker.
        return None if error.status == httpx.codes.SERVICE_UNAVAILABLE and _has_worker(client) else str(error)
    # A network that cannot take ratings refuses the request (400). This also shows that the server answers.
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
    parser.add_argument("--wait-s", type=float, default=0, help="retry for this long, in seconds")
    parser.add_argument("--timeout-s", type=float, default=4, help="how long one answer may take, in seconds")
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
