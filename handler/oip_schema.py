"""The schema of columns, as the Open Inference Protocol (version 2) has them: requests and answers."""

from __future__ import annotations

import numpy as np

from handler.oip_codec import output_datatypes
from handler.schema_terms import (
    BOOLEAN,
    NULL,
    NUMBER,
    SIZE,
    TEXT,
    Schema,
    any_of,
    array_of,
    at_most_once,
    object_of,
    ref,
    sent,
)
from handler.settings import HandlerSettings
from handler.tensors import datatypes
from model.asks import ServedModel
from model.ids import IdMap
from model.scale import RatingScale
from model.vocabulary import Vocabulary

_FLAG: Schema = {"type": ["boolean", "null"]}


def columns_schema(model: ServedModel, settings: HandlerSettings) -> Schema:
    """The two input tensors, as JSON or as raw bytes after it, and the outputs that the client wants."""
    user = _input("user_id", model.user_ids, settings.max_pairs)
    movie = _input(model.words.item_id, model.movie_ids, settings.max_pairs)
    orders = [{"prefixItems": [user, movie], "minItems": 2}, {"prefixItems": [movie, user], "minItems": 2}]
    outputs = list(output_datatypes(model.words))
    binary = {"type": ["object", "null"], "properties": {"binary_data": _FLAG}}
    output = {
        "type": "object",
        "properties": {"name": {"enum": outputs}, "parameters": binary},
        "required": ["name"],
    }
    once = [at_most_once("name", name) for name in outputs]
    optional = {
        "id": TEXT,
        "parameters": {"type": "object", "properties": {"binary_data_output": _FLAG}},
        "outputs": {**array_of(output), "allOf": once},
        "model_name": True,
        "model_version": True,
    }
    return sent(object_of({"inputs": {"type": "array", "anyOf": orders, "maxItems": 2}}, optional))


def columns_answer_schema(scale: RatingScale, words: Vocabulary) -> Schema:
    """The answer to columns: `data`, or its size in bytes where it follows the JSON as raw bytes."""
    low = float(str(np.float32(scale.minimum)))
    high = float(str(np.float32(scale.maximum)))
    rating = _output("rating", "FP32", {**NUMBER, "minimum": low, "maximum": high})
    known = [_output(name, kind, BOOLEAN) for name, kind in output_datatypes(words).items() if name != "rating"]
    counts = object_of({}, {"unknown_user_id": SIZE, f"unknown_{words.item_id}": SIZE})
    required = {"model_name": TEXT, "model_version": TEXT, "outputs": array_of({"anyOf": [rating, *known]})}
    return object_of(required, {"id": TEXT, "parameters": counts})


def _input(name: str, ids: IdMap, most: int) -> Schema:
    column = array_of(ref(name))
    sizes = [{**SIZE, "maximum": most}, {"type": "integer", "const": 1}]
    size = {"type": "object", "required": ["binary_data_size"], "properties": {"binary_data_size": {"not": NULL}}}
    raw = {"properties": {"parameters": size}, "required": ["parameters"]}
    return {
        "type": "object",
        "properties": {
            "name": {"const": name},
            "datatype": {"enum": list(datatypes(ids))},
            "shape": {"type": "array", "prefixItems": sizes, "items": False, "minItems": 1},
            "parameters": {"type": ["object", "null"], "properties": {"binary_data_size": any_of([SIZE, NULL])}},
        },
        "required": ["name", "datatype", "shape"],
        "if": raw,
        "then": {"properties": {"data": NULL}},
        "else": {"properties": {"data": {"anyOf": [column, array_of(column)]}}, "required": ["data"]},
    }


def _output(name: str, datatype: str, item: Schema) -> Schema:
    shape = {"type": "array", "prefixItems": [SIZE], "items": False, "minItems": 1}
    raw = object_of({"binary_data_size": SIZE})
    tensor = object_of(
        {"name": {"const": name}, "datatype": {"const": datatype}, "shape": shape},
        {"data": array_of(item), "parameters": raw},
    )
    return {**tensor, "oneOf": [{"required": ["data"]}, {"required": ["parameters"]}]}
