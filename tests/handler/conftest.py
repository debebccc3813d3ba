"""The handler as a worker holds it: TorchServe's own Context and Service around it, no JVM."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from ts.context import Context, RequestProcessor

from handler.ncf_handler import NCFHandler
from model.artifact import Artifact, save_artifact

SETTINGS = Path(__file__).parents[2] / "handler" / "model-config.yaml"


class Worker:
    """Hands bodies to a loaded handler as one dynamic batch."""

    def __init__(self, handler: NCFHandler, context: Context) -> None:
        self.handler = handler
        self.context = context

    def rows(self, *rows: dict[str, Any], headers: dict[str, str] | None = None) -> list[tuple[int, Any]]:
        """(status, parsed body) of each row of one batch."""
        self.context.request_processor = [RequestProcessor(dict(headers or {})) for _ in rows]
        bodies = self.handler.handle(list(rows), self.context)
        assert len(bodies) == len(rows)
        for index in range(len(rows)):
            assert self.context.get_response_content_type(index) == "application/json"
        return [(self.context.get_response_status(i)[0], json.loads(body)) for i, body in enumerate(bodies)]

    def ask(self, *bodies: Any) -> list[tuple[int, Any]]:
        """(status, parsed body) of each JSON body of one batch."""
        return self.rows(*({"body": body if isinstance(body, bytes) else json.dumps(body).encode()} for body in bodies))


@pytest.fixture
def worker(artifact: Artifact, tmp_path: Path) -> Callable[..., Worker]:
    """Makes workers: of the small model, with the shipped settings and changes to their `handler:` section."""

    def make(served: Artifact = artifact, **changes: object) -> Worker:
        save_artifact(served, tmp_path / "ncf.pt")
        config = yaml.safe_load(SETTINGS.read_text())
        config["handler"] |= {"fast_wire": False, **changes}  # the wire has tests of its own, which put it back
        manifest = {"model": {"serializedFile": "ncf.pt", "modelVersion": "1.0"}}
        context = Context("ncf", str(tmp_path), manifest, 64, None, "0.12.0", model_yaml_config=config)
        handler = NCFHandler()
        handler.initialize(context)
        return Worker(handler, context)

    return make
