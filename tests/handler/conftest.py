"""The handler as in a worker, with TorchServe's own Context around it, but without the JVM."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from ts.context import Context, RequestProcessor

from handler.ncf_handler import NCFHandler
from model.artifact import Artifact, save_artifact
from tests.handler.frames import Got

HTTP = {"content-type": "application/json", "explain": "False"}
SETTINGS = Path(__file__).parents[2] / "handler" / "model-config.yaml"


class Worker:
    """Hands bodies to a loaded handler as one dynamic batch."""

    def __init__(self, handler: NCFHandler, context: Context) -> None:
        self.handler = handler
        self.context = context

    def replies(self, *rows: dict[str, Any], headers: dict[str, str] | None = None) -> list[Got]:
        """The response to each row of one batch; empty headers stand for gRPC."""
        self.context.request_processor = [RequestProcessor(dict(HTTP if headers is None else headers)) for _ in rows]
        bodies = self.handler.handle(list(rows), self.context)
        assert len(bodies) == len(rows)
        statuses = [self.context.get_response_status(index)[0] for index in range(len(rows))]
        return [Got(statuses[i], self.context.get_response_headers(i), body) for i, body in enumerate(bodies)]

    def rows(self, *rows: dict[str, Any], headers: dict[str, str] | None = None) -> list[tuple[int, Any]]:
        """(status, parsed body) of each row of one batch."""
        replies = self.replies(*rows, headers=headers)
        assert {reply.headers["content-type"] for reply in replies} <= {"application/json"}
        return [(reply.status, reply.json) for reply in replies]

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


@pytest.fixture
def served(worker: Callable[..., Worker], ranked_artifact: Artifact) -> Worker:
    """A worker of a model with an interest part and an encoder."""
    return worker(ranked_artifact)


def schema(served: Worker, name: str) -> Draft202012Validator:
    """The described schema of this name, `request` or `answer`."""
    [(_, described)] = served.rows({}, headers={"describe": "True"})
    return Draft202012Validator(described["schema"][name])
