"""The contract as JSON Schema (2020-12), made for one model: its id types, its rating scale, its genres, its limits.

JSON Schema cannot express three things that the service rejects: an integer written as `1.0`, one of more than 64 bits
in a string, and tensors whose data is not as long as their shape says. An answer that is TorchServe's own is an `error`
too.
https://json-schema.org/draft/2020-12
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from handler.asks.base import AskCodec, AskContext
from handler.json_asks import JsonAsks
from handler.oip_schema import columns_answer_schema, columns_schema
from handler.schema_terms import BOOLEAN, TEXT, Schema, any_of, array_of, object_of, ref, sent
from handler.string_ids import AS_STRINGS
from model.asks import ServedModel

_DIALECT = "https://json-schema.org/draft/2020-12/schema"

Codecs = Sequence[AskCodec[Any, Any]]


def make_schema(model: ServedModel, context: AskContext, asks: JsonAsks) -> Schema:
    """`request`: a body at /predictions (at /explanations: its `#/$defs/explanation`). `answer`: what comes back."""
    ids = {"user_id": context.terms.user_id, context.words.item_id: context.terms.movie_id}
    columns = columns_schema(model, context.settings)
    request = _requests(context, asks)
    answer = _answers(asks)
    columns_answer = columns_answer_schema(model.scale, model.words)
    asked = any_of(ref(name) for name in (*request, "columns"))
    answered = any_of(ref(name) for name in (*answer, "columns"))
    explanations = _explanation_requests(context, asks)
    return {
        "request": {"$schema": _DIALECT, **asked, "$defs": {**ids, **request, **explanations, "columns": columns}},
        "answer": {"$schema": _DIALECT, **answered, "$defs": {**ids, **answer, "columns": columns_answer}},
    }


def _requests(context: AskContext, asks: JsonAsks) -> Schema:
    """JSON bodies at /predictions, by name."""
    found = {codec.name: _item(codec) for codec in asks.predictions}
    if asks.can_fold_in:
        found["fold_in"] = any_of(_item(asks.folded[codec]) for codec in asks.predictions if codec in asks.folded)
    items = array_of(any_of(ref(name) for name in found), context.settings.max_pairs)
    return {**found, "instances": _many(items)}


def _explanation_requests(context: AskContext, asks: JsonAsks) -> Schema:
    """The JSON bodies at /explanations, under one name."""
    codecs: list[AskCodec[Any, Any]] = list(asks.explanations)
    if asks.can_fold_in:
        codecs += [asks.folded[codec] for codec in asks.explanations if codec in asks.folded]
    item = any_of(_item(codec) for codec in codecs)
    items = array_of(item, context.settings.max_explanations)
    return {"explanation": any_of([item, _many(items)])}


def _item(codec: AskCodec[Any, Any]) -> Schema:
    return sent(codec.request_schema(), **{AS_STRINGS: BOOLEAN})


def _many(items: Schema) -> Schema:
    return sent(object_of({"instances": items}), **{AS_STRINGS: BOOLEAN})


def _answers(asks: JsonAsks) -> Schema:
    """JSON answers by name."""
    found = {codec.answer_name: codec.answer_schema() for codec in (*asks.predictions, *asks.explanations)}
    return {
        **found,
        "predictions": object_of({"predictions": _slots(asks.predictions)}),
        "explanations": object_of({"explanations": _slots(asks.explanations)}),
        "error": object_of({"code": {"type": "integer"}, "type": TEXT, "message": TEXT}),
    }


def _slots(codecs: Codecs) -> Schema:
    """The answers to `instances`; an error stands in the place of an answer."""
    error = object_of({"error": ref("error")})
    return array_of(any_of([*(ref(codec.answer_name) for codec in codecs), error]))
