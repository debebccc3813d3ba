"""The parts that JSON Schemas are put together from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from model.asks import ServedModel
from model.catalogue import TITLE
from model.ids import IdMap

Schema = dict[str, Any]

NUMBER: Schema = {"type": "number"}
TEXT: Schema = {"type": "string"}
BOOLEAN: Schema = {"type": "boolean"}
NULL: Schema = {"type": "null"}
SIZE: Schema = {"type": "integer", "minimum": 0}
# A longer list would be most of the document; a genre that is not in the data is rejected all the same.
_MOST_GENRES = 100
_DIGITS = "^(0|-?[1-9][0-9]{0,18})$"
_UNKNOWN_NAME = r"^(user_id|(ratings\[[0-9]+\]\.)?%s|events\[[0-9]+\])$"


class SchemaTerms:
    """The schemas of values that depend on the model: ids, ratings, genres."""

    def __init__(self, model: ServedModel, decimals: int) -> None:
        scale = model.scale
        self.user_id = _id(model.user_ids)
        self.movie_id = _id(model.movie_ids)
        self.movie = ref(model.words.item_id)
        self.rating = NUMBER | {"minimum": round(scale.minimum, decimals), "maximum": round(scale.maximum, decimals)}
        self.genre = _genre(list(model.catalogue.genres))
        self.catalogue: Schema = {TITLE: TEXT, model.words.tags: array_of(self.genre)}
        name = {"type": "string", "pattern": _UNKNOWN_NAME % model.words.item_id}
        self.unknown: Schema = {"type": "array", "items": name, "minItems": 1, "uniqueItems": True}


def object_of(required: Schema, optional: Schema | None = None) -> Schema:
    """An object with these fields and no others."""
    found = {"type": "object", "properties": {**required, **(optional or {})}, "additionalProperties": False}
    return {**found, "required": list(required)} if required else found


def sent(schema: Schema, **optional: Schema) -> Schema:
    """The schema of an object in a request, with more fields: what need not be there may be null, for a null is absent.

    Of several alternatives, each is such an object. A schema without properties, such as a reference, is left as it is.
    """
    if "properties" not in schema:
        return any_of(sent(one, **optional) for one in schema["anyOf"]) if "anyOf" in schema else schema
    required = schema.get("required", ())
    fields = {**schema["properties"], **optional}
    never = (*required, *(name for name, field in fields.items() if field is True))
    nullable = {name: field if name in never else any_of([field, NULL]) for name, field in fields.items()}
    found = {**schema, "properties": nullable, "additionalProperties": NULL}
    if "anyOf" in schema:  # one of several fields is required, and then it is not null
        alternatives = schema["anyOf"]
        found["anyOf"] = [
            {**one, "properties": {name: fields[name] for name in one["required"]}} for one in alternatives
        ]
    return found


def array_of(item: Schema | bool, most: int | None = None) -> Schema:
    """An array of these, at most so many."""
    found: Schema = {"type": "array", "items": item}
    return found if most is None else {**found, "maxItems": most}


def at_most_once(field: str, value: str) -> Schema:
    """In an array: one object at most whose `field` is `value`."""
    same = {"type": "object", "properties": {field: {"const": value}}, "required": [field]}
    return {"contains": same, "minContains": 0, "maxContains": 1}


def ref(name: str) -> Schema:
    """Another definition of the same document."""
    return {"$ref": f"#/$defs/{name}"}


def any_of(schemas: Iterable[Schema]) -> Schema:
    """Any of these; the schema itself where there is one alone."""
    found = list(schemas)
    return found[0] if len(found) == 1 else {"anyOf": found}


def _id(ids: IdMap) -> Schema:
    """Integers that JSON readers keep exact at 64 bits, or their digits in a string; or any strings."""
    if not ids.integer:
        return TEXT
    return any_of([{"type": "integer", "minimum": -(2**63), "maximum": 2**63 - 1}, {**TEXT, "pattern": _DIGITS}])


def _genre(genres: list[str]) -> Schema | bool:
    if not genres:
        return False
    return {"enum": genres} if len(genres) <= _MOST_GENRES else TEXT
