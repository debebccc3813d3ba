"""`python -m ops.asgi`: serves the versions of a model store with uvicorn, in the foreground, until SIGTERM.

It reads the address, the model store and the number of workers in config.properties, as TorchServe does.
`make serve SERVER=asgi` runs it in the background.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import uvicorn

from ops.asgi import shared
from ops.asgi.archives import archives_to_serve, unpack
from ops.asgi.log import configure_log
from ops.command import failing_in_one_line
from ops.properties import parse_properties
from ops.settings import ASGI, SERVER, ServerSettings, read_settings

# How long requests in flight may take after SIGTERM, and how long a new process may take to load its versions.
_STOP_S = 15
_LOAD_S = 180
# As the front end of TorchServe, which keeps a connection while its client does.
_KEEP_ALIVE_S = 75


def serve(settings: ServerSettings, store: Path, config: Path) -> None:
    """Runs the server; returns when it was told to stop.

    Raises:
        DigestError, OSError: an archive is damaged or missing.
        SystemExit: uvicorn could not start.
    """
    properties = parse_properties(config.read_text(encoding="utf-8"))
    address = urlsplit(settings.endpoints["inference_address"])
    configure_log()
    with tempfile.TemporaryDirectory(prefix="asgi-") as name:
        folder = Path(name)
        unpack(archives_to_serve(store), shared.archives(folder))
        for own in (shared.metrics(folder), shared.workers(folder)):
            own.mkdir()
        os.environ |= {
            shared.FOLDER: name,
            shared.CONFIG: str(config.resolve()),
            shared.METRICS: str(shared.metrics(folder)),
        }
        uvicorn.run(
            "ops.asgi.worker:create_application",
            factory=True,
            host=str(address.hostname),
            port=address.port or 0,
            workers=_workers(properties),
            loop="uvloop",
            http="httptools",
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=_KEEP_ALIVE_S,
            timeout_graceful_shutdown=_STOP_S,
            timeout_worker_healthcheck=_LOAD_S,
        )


def _workers(properties: Mapping[str, str]) -> int:
    """As TorchServe counts them: what `default_workers_per_model` says, else one per core."""
    return int(properties.get("default_workers_per_model", "0")) or len(os.sched_getaffinity(0))


def main(arguments: list[str] | None = None) -> None:
    """Serves."""
    parser = argparse.ArgumentParser(prog="python -m ops.asgi", description=__doc__.splitlines()[0])
    parser.add_argument("--config", type=Path, default=Path("config.properties"))
    parser.add_argument("--store", type=Path, help="the model store (default: as the configuration says)")
    options = parser.parse_args(arguments)
    with failing_in_one_line("asgi", (ValueError, OSError), "asgi: stopped"):
        settings = read_settings(options.config, Path.cwd(), {**os.environ, SERVER: ASGI})
        serve(settings, options.store or settings.model_store, options.config)


if __name__ == "__main__":
    main()
