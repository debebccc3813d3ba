"""A worker as TorchServe runs it, but without the JVM: batches of JSON bodies come in as lines, and answers go out.

    python tests/gpu/worker.py FOLDER GPU_ID

FOLDER holds ncf.pt; GPU_ID is a number, or `none` for the processor. The first line out tells of the worker. A line in
is a list of bodies, and its answer a list of (status, body); the line `break` loses the GPU as a faulty kernel would.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any, NoReturn

import torch
import yaml
from ts.context import Context, RequestProcessor

from handler.ncf_handler import NCFHandler
from model.predictor import Predictor

SETTINGS = Path(__file__).parents[2] / "handler" / "model-config.yaml"
BREAK = "break\n"


def main() -> None:
    """Serves until the input ends."""
    folder, gpu = sys.argv[1:]
    config = yaml.safe_load(SETTINGS.read_text())
    config["handler"] |= {"fast_wire": False}
    manifest = {"model": {"serializedFile": "ncf.pt", "modelVersion": "1.0"}}
    gpu_id = None if gpu == "none" else int(gpu)
    context = Context("ncf", folder, manifest, 64, gpu_id, "0.12.0", model_yaml_config=config)
    handler = NCFHandler()
    handler.initialize(context)
    device = handler.service.predictor.scorer.device
    _tell({"pid": os.getpid(), "parent": os.getppid(), "device": str(device)})
    for line in sys.stdin:
        if line == BREAK:
            _lose(device)
            _tell("lost")
        else:
            _tell(_answers(handler, context, json.loads(line)))


def _answers(handler: NCFHandler, context: Context, asks: list[Any]) -> list[Any]:
    headers = {"content-type": "application/json", "explain": "False"}
    context.request_processor = [RequestProcessor(dict(headers)) for _ in asks]
    bodies = handler.handle([{"body": json.dumps(ask).encode()} for ask in asks], context)
    return [[context.get_response_status(place)[0], json.loads(body)] for place, body in enumerate(bodies)]


def _lose(device: torch.device) -> None:
    """Reads outside a tensor on the GPU, whose error comes at a later call; plays that error on the processor."""
    if device.type == "cuda":
        torch.zeros(1, device=device)[torch.tensor([7], device=device)]
    else:
        Predictor.answer = _fail  # type: ignore[method-assign,assignment]


def _fail(*_: object) -> NoReturn:
    raise torch.AcceleratorError("CUDA error: device-side assert triggered")


def _tell(value: Any) -> None:
    print(json.dumps(value), flush=True)


if __name__ == "__main__":
    main()
