"""`python -m ops.asgi`: serves the versions of a model store with uvicorn, in the foreground, until SIGTERM.

It reads the address, the model store and the number of workers in config.properties, as TorchServe does.
`make serve SERVER=asgi` runs it in the background.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

import uvicorn
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from ops.asgi import shared
from ops.asgi.archives import archives_to_serve, lay
from ops.asgi.log import configure_log
from ops.asgi.settings import read_asgi_settings
from ops.command import failing_in_one_line
from ops.settings import ASGI, SERVER, ServerSettings, read_settings

# How long requests in flight may take after SIGTERM, and how long a new process may take to load its versions.
_STOP_S = 15
_LOAD_S = 180
# Keep connections open, as the front end of TorchServe does.
_KEEP_ALIVE_S = 75


def serve(settings: ServerSettings, store: Path, config: Path) -> None:
    """Runs the server; returns after a signal to stop. SIGHUP replaces its processes one by one.

    Raises:
        ValueError: a setting is wrong.
        DigestError, OSError: an archive is damaged or missing.
        SystemExit: the address is in use, or a process could not load a version.
    """
    own = read_asgi_settings(config)
    address = urlsplit(settings.endpoints["inference_address"])
    configure_log()
    with tempfile.TemporaryDirectory(prefix=shared.PREFIX) as name:
        folder = Path(name)
        lay(archives_to_serve(store), folder)
        for place in (shared.metrics(folder), shared.workers(folder)):
            place.mkdir()
        os.environ |= {
            shared.FOLDER: name,
            shared.CONFIG: str(config.resolve()),
            shared.METRICS: str(shared.metrics(folder)),
        }
        server = uvicorn.Config(
            "ops.asgi.worker:create_application",
            factory=True,
            host=str(address.hostname),
            port=address.port or 0,
            workers=own.workers,
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
        processes = Multiprocess(server, sockets=[server.bind_socket()])
        processes.run()
        if any(process.exitcode == STARTUP_FAILURE for process in processes.processes):
            sys.exit(STARTUP_FAILURE)


def main(arguments: list[str] | None = None) -> None:
    """Serves."""
    parser = argparse.ArgumentParser(prog="python -m ops.asgi", description=__doc__.splitlines()[0])
    parser.add_argument("--config", type=Path, default=Path("config.properties"))
    parser.add_argument("--store", type=Path, help="the model store (default: that of the configuration)")
    options = parser.parse_args(arguments)
    with failing_in_one_line("asgi", (ValueError, OSError), "asgi: stopped"):
        settings = read_settings(options.config, Path.cwd(), {**os.environ, SERVER: ASGI})
        serve(settings, options.store or settings.model_store, options.config)


if __name__ == "__main__":
    main()
