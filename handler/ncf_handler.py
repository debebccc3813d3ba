"""TorchServe's entry point. Exactly one class may stand in this file: TorchServe takes the one it finds."""

from __future__ import annotations

import gc
import logging
from pathlib import Path
from typing import Any

import torch
from ts.context import Context

from handler import wire
from handler.front_end import WAITING, front_end_pid, has_plugin
from handler.rows import lower_case_names, response_headers, to_request
from handler.service import RatingService
from handler.settings import HandlerSettings
from handler.siblings import served_versions
from handler.worker_metrics import WorkerMetrics
from model.archive import MODEL_CARD
from model.artifact import load_artifact

logger = logging.getLogger(__name__)


class NCFHandler:
    """Connects TorchServe to the service."""

    service: RatingService

    def initialize(self, context: Context) -> None:
        """Loads the artifact named in the manifest, onto the worker's GPU if it has one, and warms up."""
        torch.set_num_threads(1)  # workers are the parallelism: threads of one would stall the others
        properties = context.system_properties
        manifest = context.manifest["model"]
        settings = HandlerSettings.from_mapping((context.model_yaml_config or {}).get("handler"))
        device = _device(properties.get("gpu_id"))
        artifact = load_artifact(Path(properties["model_dir"]) / manifest["serializedFile"], device)
        name = str(context.model_name)
        version = str(manifest.get("modelVersion", ""))
        metrics = WorkerMetrics(context.metrics, name, version, settings.metrics_interval_s)
        card = Path(properties["model_dir"]) / MODEL_CARD
        self.service = RatingService(
            artifact,
            settings,
            name,
            version,
            device=device,
            metrics=metrics,
            card=card.read_text(encoding="utf-8") if card.is_file() else "",
            neighbours=served_versions,
        )
        self.service.warm_up()
        gc.collect()
        gc.freeze()  # what lies here stays: without this, a full collection looks through all of torch, for 0.1 s
        if settings.fast_wire:
            wire.install(self.service)
        if has_plugin(front_end_pid()) is False:
            logger.warning(WAITING)
        head = self.service.predictor.scorer.head_name
        logger.info("serving version %s on %s by %s, rating scale %s", version, device, head, artifact.scale)
        logging.getLogger().setLevel(logging.WARNING)  # TorchServe's own code logs a line for every batch

    def handle(self, data: list[dict[str, Any]], context: Context) -> list[bytes]:
        """Answers one row of `data` per client: the bodies are returned, statuses and headers go into the context."""
        requests = []
        for place, row in enumerate(data):
            # TorchServe adds a dictionary for every field to the headers, which are strings.
            headers = context.get_all_request_header(place).items()
            own = lower_case_names((name, value) for name, value in headers if isinstance(value, str))
            requests.append(to_request(row, own))
        responses = self.service.answer(requests)
        for place, (request, response) in enumerate(zip(requests, responses, strict=True)):
            context.set_response_status(response.status, "", place)
            for name, value in response_headers(request, response, self.service.headers).items():
                context.set_response_header(place, name, value)
        return [response.body for response in responses]


def _device(gpu_id: int | None) -> str:
    return f"cuda:{gpu_id}" if gpu_id is not None and torch.cuda.is_available() else "cpu"
