"""The schema in a worker's description, as validators."""

from __future__ import annotations

from jsonschema import Draft202012Validator
from jsonschema.validators import extend

from tests.handler.conftest import Worker

# JSON Schema takes 1.0 for an integer; the handler does not.
Strict = extend(
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine("integer", lambda _, value: type(value) is int),
)


class Schemas:
    """Validators of requests, of single definitions of requests, and of answers."""

    def __init__(self, worker: Worker) -> None:
        [(_, metadata)] = worker.rows({}, headers={"describe": "True"})
        self.schema = metadata["schema"]
        self.request = Strict(self.schema["request"])
        self.answer = Strict(self.schema["answer"])

    def part(self, *names: str) -> Draft202012Validator:
        definitions = self.schema["request"]["$defs"]
        return Strict({"anyOf": [{"$ref": f"#/$defs/{name}"} for name in names], "$defs": definitions})
