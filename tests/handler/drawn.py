"""Random values that a JSON Schema allows, for the parts of 2020-12 that the contract uses."""

from __future__ import annotations

import random
from typing import Any

Schema = dict[str, Any]


def drawn(dice: random.Random, schema: Schema, definitions: Schema) -> Any:
    """A random value that the schema allows; some ids are small, so that a model can know them."""
    if "$ref" in schema:
        return drawn(dice, definitions[schema["$ref"].removeprefix("#/$defs/")], definitions)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return dice.choice(schema["enum"])
    if "anyOf" in schema and "properties" not in schema:
        chosen = dict(dice.choice(schema["anyOf"]))
        beside = {name: value for name, value in schema.items() if name != "anyOf"}
        return drawn(dice, beside | chosen, definitions)
    kind = schema["type"] if isinstance(schema["type"], str) else dice.choice(schema["type"])
    if kind == "object":
        return _object(dice, schema, definitions)
    if kind == "array":
        return _array(dice, schema, definitions)
    if kind == "integer":
        low = schema.get("minimum", 0)
        high = schema.get("maximum", 30)
        return dice.choice([low, high, max(low, min(high, dice.randint(0, 8)))])
    if kind == "number":
        return dice.choice([schema["minimum"], schema["maximum"], (schema["minimum"] + schema["maximum"]) / 2])
    simple = {
        "string": str(dice.randint(0, 8)) if "pattern" in schema else "é7",
        "boolean": dice.random() < 0.5,
        "null": None,
    }
    return simple[kind]


def _object(dice: random.Random, schema: Schema, definitions: Schema) -> Schema:
    chosen = dice.choice(schema.get("anyOf", [{}]))
    required = {*schema.get("required", ()), *chosen.get("required", ())}
    properties = {**schema.get("properties", {}), **chosen.get("properties", {})}
    found: Schema = {
        name: drawn(dice, inner, definitions) if isinstance(inner, dict) else dice.choice([1, "x", None])
        for name, inner in properties.items()
        if name in required or dice.random() < 0.4
    }
    if "if" in schema:  # tensors: raw bytes or data
        raw = (found.get("parameters") or {}).get("binary_data_size") is not None
        if not raw:
            found["data"] = drawn(dice, schema["else"]["properties"]["data"], definitions)
    return found


def _array(dice: random.Random, schema: Schema, definitions: Schema) -> list[Any]:
    if "prefixItems" in schema:
        size = dice.randint(schema["minItems"], len(schema["prefixItems"]))
        return [drawn(dice, inner, definitions) for inner in schema["prefixItems"][:size]]
    found = [
        drawn(dice, schema["items"], definitions) for _ in range(dice.randint(0, min(4, schema.get("maxItems", 4))))
    ]
    once = {rule["contains"]["properties"]["name"]["const"] for rule in schema.get("allOf", ())}
    return list({value["name"]: value for value in found}.values()) if once else found
