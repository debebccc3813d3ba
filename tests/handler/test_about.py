"""What the service says of itself to clients of other protocols."""

from collections.abc import Callable
from typing import Any

import pytest

from model.artifact import Artifact
from tests.handler.conftest import HTTP, Worker

Make = Callable[..., Worker]
INSTANCES = {"body": b'{"instances": []}'}
OUTPUTS = [{"name": "rating", "datatype": "FP32"}, {"name": "user_known", "datatype": "BOOL"}]
OUTPUTS.append({"name": "movie_known", "datatype": "BOOL"})


def ask(worker: Worker, question: str) -> Any:
    [reply] = worker.replies(INSTANCES, headers={**HTTP, "describe": question})
    assert reply.status == 200
    return reply.json


def test_model_that_answers_is_ready(worker: Make) -> None:
    assert ask(worker(), "ready") == {"name": "ncf", "ready": True}


@pytest.mark.parametrize(("strings", "datatype"), [(False, "INT64"), (True, "BYTES")])
def test_metadata_names_the_tensors_that_the_model_takes(
    worker: Make, artifact: Artifact, string_artifact: Artifact, strings: bool, datatype: str
) -> None:
    told = ask(worker(string_artifact if strings else artifact), "metadata")
    assert (told["name"], told["versions"], told["platform"]) == ("ncf", ["1.0"], "pytorch_torchscript")
    assert told["inputs"] == [{"name": n, "datatype": datatype, "shape": [-1]} for n in ("user_id", "movie_id")]
    assert told["outputs"] == [{**output, "shape": [-1]} for output in OUTPUTS]


def test_other_questions_in_the_header_are_not_understood(worker: Make) -> None:
    for question in ("True", "true", "Ready", "", "x"):
        assert ask(worker(), question) == {"predictions": []}
