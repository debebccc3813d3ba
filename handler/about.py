"""Answers about the service itself: they are the same for every client, and no ask is behind them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import orjson

from handler.oip_codec import output_datatypes
from handler.options import shown_columns
from handler.pictures import rating_pictures
from handler.request import DecodedRequest, Endpoint, Response
from handler.schema_terms import Schema
from handler.settings import HandlerSettings
from handler.tensors import datatypes
from model.asks import ServedModel
from model.vocabulary import METADATA


def answers_about(
    model: ServedModel, metadata: Mapping[str, Any], schema: Schema, name: str, version: str
) -> dict[Endpoint, DecodedRequest]:
    """The answered request for each endpoint that asks about the model, which is served under a name and a version."""
    description = {**metadata, "schema": schema, "worker_pid": os.getpid()}
    return {
        "description": _answered("describe", Response(orjson.dumps(description))),
        "readiness": _answered("ready", Response(orjson.dumps({"name": name, "ready": True}))),
        "metadata": _answered("metadata", Response(orjson.dumps(_metadata(model, name, version)))),
    }


def facts_about(
    model: ServedModel, metadata: Mapping[str, Any], schema: Schema, settings: HandlerSettings
) -> dict[str, Any]:
    """What the ask `about` tells of a model: the description, its limits, and what may be asked of it."""
    return {
        **metadata,
        METADATA: model.words.to_dict() | {"items": model.words.items, "tag": model.words.tag},
        "rating_step": _rating_step(model),
        model.words.tags: list(model.catalogue.genres),
        "fields": shown_columns(model.catalogue, model.words),
        "takes_ratings": model.scorer.can_encode,
        "ranked": model.ranking is not None,
        "explained": model.scorer.has_vectors,
        "compared": model.similarity is not None,
        "pictures": rating_pictures(model.history, len(model.movie_ids), model.words.item),
        "limits": asdict(settings),
        "schema": schema,
    }


def _rating_step(model: ServedModel) -> float:
    """The smallest difference between two ratings of the data: half a star, or a whole one."""
    levels = np.unique(model.history.ratings)
    return round(float(np.diff(levels).min()), 6) if len(levels) > 1 else 1.0


def _metadata(model: ServedModel, name: str, version: str) -> dict[str, Any]:
    """As the Open Inference Protocol (version 2) tells of a model; -1 stands for any number of pairs."""
    inputs = {"user_id": datatypes(model.user_ids)[0], model.words.item_id: datatypes(model.movie_ids)[0]}
    return {
        "name": name,
        "versions": [version],
        "platform": "pytorch_torchscript",
        "inputs": _tensors(inputs),
        "outputs": _tensors(output_datatypes(model.words)),
    }


def _tensors(kinds: Mapping[str, str]) -> list[dict[str, Any]]:
    return [{"name": name, "datatype": datatype, "shape": [-1]} for name, datatype in kinds.items()]


def _answered(kind: str, response: Response) -> DecodedRequest:
    return DecodedRequest(kind, [], lambda _: response)
