"""What JSON Schemas are put together from."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]


def object_of(required: Schema, optional: Schema | None = None) -> Schema:
    """An object with these fields and no others."""
    found = {"type": "object", "properties": {**required, **(optional or {})}, "additionalProperties": False}
    return {**found, "required": list(required)} if required else found


def at_most_once(field: str, value: str) -> Schema:
    """In an array: one object at most whose `field` is `value`."""
    same = {"type": "object", "properties": {field: {"const": value}}, "required": [field]}
    return {"contains": same, "minContains": 0, "maxContains": 1}


def ref(name: str) -> Schema:
    """Another definition of the same document."""
    return {"$ref": f"#/$defs/{name}"}


def any_of(*names: str) -> Schema:
    """Any of these definitions."""
    return {"anyOf": [ref(name) for name in names]}
