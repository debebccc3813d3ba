"""The contract as JSON Schema (2020-12), made for one model: its id types, its rating scale, its genres, its limits.

Two things that the handler refuses are beyond JSON Schema: an integer written as `1.0`, and tensors whose data is not
as long as their shape says. An answer that is TorchServe's own is an `error` too. https://json-schema.org/draft/2020-12
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from handler.json_answers import DECIMALS
from handler.oip_codec import OUTPUT_NAMES
from handler.schema_terms import Schema, any_of, at_most_once, object_of, ref
from handler.settings import HandlerSettings
from handler.tensors import datatypes
from model.artifact import Artifact
from model.ids import IdMap
from model.scale import RatingScale

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
# A longer list would be most of the document; a genre that is not in the data is refused all the same.
_MOST_GENRES = 100
_SIZE = {"type": "integer", "minimum": 0}
_BOOLEAN = {"type": "boolean"}


def make_schema(artifact: Artifact, settings: HandlerSettings) -> Schema:
    """`request`: a body at /predictions (at /explanations: its `#/$defs/explanation`). `answer`: what comes back."""
    ids = {"user_id": _id(artifact.user_ids), "movie_id": _id(artifact.movie_ids)}
    genre = _genre(list(artifact.catalogue.genres))
    fold_in = _fold_in(genre, artifact, settings)
    request = ids | _asks(genre, settings, ("pair", "best", *fold_in)) | fold_in | _tensors(artifact, settings)
    answer = ids | _answers(artifact.scale, genre) | _columns_answer(artifact.scale)
    asks = ("pair", "best", *fold_in, "instances", "columns")
    kinds = ("pair", "explanation_of_pair", "best", "predictions", "explanations", "columns", "error")
    return {
        "request": {"$schema": _DIALECT, **any_of(*asks), "$defs": request},
        "answer": {"$schema": _DIALECT, **any_of(*kinds), "$defs": answer},
    }


def _asks(genre: Schema | bool, settings: HandlerSettings, kinds: Sequence[str]) -> Schema:
    """JSON asks by name."""
    best = _best({"user_id": ref("user_id")}, {}, genre, settings)
    pairs = {"type": "array", "items": ref("pair"), "maxItems": settings.max_explanations}
    asks = {"type": "array", "items": any_of(*kinds), "maxItems": settings.max_pairs}
    return {
        "pair": object_of({"user_id": ref("user_id"), "movie_id": ref("movie_id")}),
        "best": best,
        "instances": object_of({"instances": asks}),
        "explanation": {"anyOf": [ref("pair"), object_of({"instances": pairs})]},
    }


def _best(required: Schema, optional: Schema, genre: Schema | bool, settings: HandlerSettings) -> Schema:
    movie_ids = {"type": "array", "items": ref("movie_id"), "maxItems": settings.max_pairs}
    options = {
        "movie_ids": movie_ids,
        "top_k": {"type": "integer", "minimum": 1, "maximum": settings.max_top_k},
        "exclude_seen": _BOOLEAN,
        "genres": {"type": "array", "items": genre},
        "exclude": movie_ids,
    }
    best = object_of(required, {**optional, **options})
    return {**best, "anyOf": [{"required": ["movie_ids"]}, {"required": ["top_k"]}]}


def _fold_in(genre: Schema | bool, artifact: Artifact, settings: HandlerSettings) -> Schema:
    """The asks of a user who sends ratings along; none, where the network has no encoder."""
    if not hasattr(artifact.network, "encode_users"):
        return {}
    scale = {"type": "number", "minimum": artifact.scale.minimum, "maximum": artifact.scale.maximum}
    rating = object_of({"movie_id": ref("movie_id"), "rating": scale})
    ratings = {"ratings": {"type": "array", "items": rating, "maxItems": settings.max_ratings}}
    user = {"user_id": ref("user_id")}
    pair = object_of({**ratings, "movie_id": ref("movie_id")}, user)
    return {"fold_in": {"anyOf": [pair, _best(ratings, user, genre, settings)]}}


def _tensors(artifact: Artifact, settings: HandlerSettings) -> Schema:
    """Columns: the two input tensors, as JSON or as raw bytes after it, and the outputs wanted."""
    user = _tensor("user_id", artifact.user_ids, settings.max_pairs)
    movie = _tensor("movie_id", artifact.movie_ids, settings.max_pairs)
    inputs = {"prefixItems": [user, movie], "minItems": 2}, {"prefixItems": [movie, user], "minItems": 2}
    own = {"type": "object", "properties": {"binary_data": _BOOLEAN}}
    output = {
        "type": "object",
        "properties": {"name": {"enum": list(OUTPUT_NAMES)}, "parameters": own},
        "required": ["name"],
    }
    once = [at_most_once("name", name) for name in OUTPUT_NAMES]
    optional = {
        "id": {"type": ["string", "null"]},
        "parameters": {"type": "object", "properties": {"binary_data_output": _BOOLEAN}},
        "outputs": {"type": "array", "items": output, "allOf": once},
        "model_name": True,
        "model_version": True,
    }
    return {"columns": object_of({"inputs": {"type": "array", "anyOf": list(inputs), "maxItems": 2}}, optional)}


def _tensor(name: str, ids: IdMap, most: int) -> Schema:
    rows = {"type": "array", "items": ref(name)}
    size = {"type": "integer", "minimum": 0, "maximum": most}
    sizes = [size, {"type": "integer", "const": 1}]
    raw = {"properties": {"parameters": {"required": ["binary_data_size"]}}, "required": ["parameters"]}
    return {
        "type": "object",
        "properties": {
            "name": {"const": name},
            "datatype": {"enum": list(datatypes(ids))},
            "shape": {"type": "array", "prefixItems": sizes, "items": False, "minItems": 1},
            "parameters": {"type": "object", "properties": {"binary_data_size": _SIZE}},
        },
        "required": ["name", "datatype", "shape"],
        "if": raw,
        "then": {"properties": {"data": False}},
        "else": {
            "properties": {"data": {"anyOf": [rows, {"type": "array", "items": rows}]}},
            "required": ["data"],
        },
    }


def _answers(scale: RatingScale, genre: Schema | bool) -> Schema:
    """JSON answers by name."""
    number, text = {"type": "number"}, {"type": "string"}
    rating = number | {"minimum": round(scale.minimum, DECIMALS), "maximum": round(scale.maximum, DECIMALS)}
    ids = {"user_id": ref("user_id"), "movie_id": ref("movie_id")}
    name = {"type": "string", "pattern": r"^(user_id|(ratings\[[0-9]+\]\.)?movie_id)$"}
    unknown = {"type": "array", "items": name, "minItems": 1, "uniqueItems": True}
    shown = {"title": text, "genres": {"type": "array", "items": genre}}
    parts = object_of(dict.fromkeys(("mean", "user", "movie", "interaction"), number))
    recommended = object_of({"movie_id": ref("movie_id"), "rating": rating}, {**shown, "unknown": unknown})
    moved = object_of({"movie_id": ref("movie_id"), "rating": rating, "influence": number}, shown)
    because = {"type": "array", "items": moved}
    recommendations = {"type": "array", "items": recommended}
    flag = {"unknown": unknown}
    in_place_of_one = object_of({"error": ref("error")})
    slots = {"type": "array", "items": {"anyOf": [ref("pair"), ref("best"), in_place_of_one]}}
    explained = {"type": "array", "items": {"anyOf": [ref("explanation_of_pair"), in_place_of_one]}}
    return {
        "pair": object_of({"movie_id": ids["movie_id"], "rating": rating}, {"user_id": ids["user_id"], **flag}),
        "best": object_of({"recommendations": recommendations}, {"user_id": ids["user_id"], **flag}),
        "explanation_of_pair": object_of({**ids, "rating": rating, "parts": parts, "because": because}, flag),
        "predictions": object_of({"predictions": slots}),
        "explanations": object_of({"explanations": explained}),
        "error": object_of({"code": {"type": "integer"}, "type": text, "message": text}),
    }


def _columns_answer(scale: RatingScale) -> Schema:
    """The answer to columns: `data`, or its size in bytes where it follows the JSON as raw bytes."""
    low, high = (float(str(np.float32(bound))) for bound in (scale.minimum, scale.maximum))
    rating = _output("rating", "FP32", {"type": "number", "minimum": low, "maximum": high})
    known = [_output(name, "BOOL", _BOOLEAN) for name in OUTPUT_NAMES[1:]]
    text = {"type": "string"}
    outputs = {"type": "array", "items": {"anyOf": [rating, *known]}}
    counts = {"unknown_user_id": _SIZE, "unknown_movie_id": _SIZE}
    optional = {"id": text, "parameters": object_of({}, counts)}
    return {"columns": object_of({"model_name": text, "model_version": text, "outputs": outputs}, optional)}


def _output(name: str, datatype: str, item: Schema) -> Schema:
    shape = {"type": "array", "prefixItems": [_SIZE], "items": False, "minItems": 1}
    raw = object_of({"binary_data_size": _SIZE})
    tensor = object_of(
        {"name": {"const": name}, "datatype": {"const": datatype}, "shape": shape},
        {"data": {"type": "array", "items": item}, "parameters": raw},
    )
    return {**tensor, "oneOf": [{"required": ["data"]}, {"required": ["parameters"]}]}


def _id(ids: IdMap) -> Schema:
    """Integers that JSON readers keep exact at 64 bits, or strings."""
    return {"type": "integer", "minimum": -(2**63), "maximum": 2**64 - 1} if ids.integer else {"type": "string"}


def _genre(genres: list[str]) -> Schema | bool:
    if not genres:
        return False
    return {"enum": genres} if len(genres) <= _MOST_GENRES else {"type": "string"}
