"""The code of each process of the server: `create_application` loads the versions that the server has unpacked."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import sys
import threading
from pathlib import Path

from uvicorn.config import STARTUP_FAILURE

from handler.settings import HandlerSettings
from model.archive import NAME
from ops.asgi import shared
from ops.asgi.about import local_answers
from ops.asgi.application import Application
from ops.asgi.log import configure_log
from ops.asgi.metrics import PrometheusMetrics, VersionMetrics, told
from ops.asgi.settings import read_asgi_settings
from ops.asgi.versions import load_versions
from ops.asgi.workers import Workers

logger = logging.getLogger(__name__)


def create_application() -> Application:
    """The application of this process. If it cannot load the versions, it logs the reason and the process ends."""
    configure_log()
    folder = Path(os.environ[shared.FOLDER])
    own = read_asgi_settings(Path(os.environ[shared.CONFIG]))
    prometheus = PrometheusMetrics()
    metrics: list[VersionMetrics] = []

    def make_metrics(version: str, settings: HandlerSettings) -> VersionMetrics:
        metrics.append(prometheus.of(NAME, version, settings.metrics_interval_s))
        return metrics[-1]

    try:
        versions = load_versions(shared.archives(folder), make_metrics)
    except Exception as error:
        logger.critical("Failed to load model: %s: %s", type(error).__name__, error, exc_info=True)
        sys.exit(STARTUP_FAILURE)
    _end_with_the_server()
    workers = Workers(shared.workers(folder))
    workers.join()
    local = {**local_answers(versions, workers.alive), "/metrics": lambda: told(metrics)}
    logger.info("PID %d serves version %s", os.getpid(), ", ".join(versions.served))
    return Application(versions, local, own.cors, own.most_waiting)


def _end_with_the_server() -> None:
    """Ends this process once the server has ended: one that was killed cannot end its processes itself."""
    server = multiprocessing.parent_process()
    if server is None:
        return

    def watch() -> None:
        server.join()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="watch the server", daemon=True).start()
