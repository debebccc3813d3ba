"""The ASGI server as an application of Ray Serve: `serve run ops.ray.serving:build store=model-store version=1.0`.

Each replica is one process. Ray starts and ends replicas as the load changes, and replaces failed ones. When another
version is requested, it replaces all replicas, a few at a time. A replica ends after it has answered its requests.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ray import serve

from handler.settings import HandlerSettings
from model.archive import NAME
from ops.asgi.about import local_answers
from ops.asgi.application import Application
from ops.asgi.archives import archives_to_serve, unpack
from ops.asgi.cors import Cors
from ops.asgi.log import configure_log
from ops.asgi.versions import load_versions
from ops.asgi.workers import Workers
from ops.ray.metrics import RayMetrics
from ops.store.archives import archive_path

# Requests that a replica holds at once; those of one turn of its event loop become one batch.
_MOST_AT_REPLICA = 256
# How long the load must be high before a replica is added; Ray's default is 30.
_UPSCALE_DELAY_S = 5.0
# Seconds over which the load is averaged; Ray's default is 30, and it must be more than 10.
_LOOK_BACK_S = 15.0
_ARGUMENTS = {"store", "version", "min_replicas", "max_replicas", "requests_per_replica", "cpus"}


def build(arguments: Mapping[str, Any]) -> serve.Application:
    """The application for Ray Serve.

    arguments:
        store: the folder of the archives; every node must see it under this path (default: model-store).
        version: the version to serve (default: the one that the store records).
        min_replicas, max_replicas: how few and how many replicas there may be (default: 1 and 10).
        requests_per_replica: requests in flight at which another replica is started (default: 32).
        cpus: CPU cores of a replica (default: 1).

    Raises:
        ValueError: an argument is unknown.
        OSError: the archive does not exist.
    """
    unknown = sorted(set(arguments) - _ARGUMENTS)
    if unknown:
        raise ValueError(f"{unknown[0]}: no such argument, allowed: {', '.join(sorted(_ARGUMENTS))}")
    store, version = Path(arguments.get("store", "model-store")).resolve(), arguments.get("version")
    archives = [archive_path(store, str(version))] if version else archives_to_serve(store)[:1]
    if not archives[0].is_file():
        raise FileNotFoundError(f"{archives[0]}: no such archive: `make package` makes it")

    def replica() -> Application:
        return _application(archives)

    deployment = serve.deployment(
        name=NAME,
        max_ongoing_requests=_MOST_AT_REPLICA,
        ray_actor_options={"num_cpus": float(arguments.get("cpus", 1))},
        autoscaling_config={
            "min_replicas": int(arguments.get("min_replicas", 1)),
            "max_replicas": int(arguments.get("max_replicas", 10)),
            "target_ongoing_requests": float(arguments.get("requests_per_replica", 32)),
            "upscale_delay_s": _UPSCALE_DELAY_S,
            "look_back_period_s": _LOOK_BACK_S,
        },
    )
    return deployment(serve.ingress(replica)()).bind()


def _application(archives: list[Path]) -> Application:
    """What one replica serves."""
    configure_log()
    with tempfile.TemporaryDirectory(prefix="ncf-replica-", ignore_cleanup_errors=True) as folder:
        unpack(archives, Path(folder))

        def make_metrics(version: str, settings: HandlerSettings) -> RayMetrics:
            return RayMetrics(NAME, version, settings.metrics_interval_s)

        versions = load_versions(Path(folder), make_metrics)
    return Application(versions, local_answers(versions, Workers(None).alive), Cors(), _MOST_AT_REPLICA)
