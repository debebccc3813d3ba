"""`{"about": "model"}` or `{"about": "worker"}`: what the server tells of itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handler.asks.base import AskCodec
from handler.errors import RequestError, allow_fields, shown
from handler.schema_terms import Schema, object_of
from model.asks import AboutAnswer, AboutAsk


class AboutCodec(AskCodec[AboutAsk, AboutAnswer]):
    """Facts about the model, and figures of the worker that answers."""

    name = "about"
    answer_name = "about"
    marks = ("about",)

    def decode_item(self, item: Mapping[str, Any], prefix: str) -> AboutAsk:
        """The subject."""
        allow_fields(item, frozenset({"about"}), prefix)
        for subject in self.context.about:
            if item["about"] == subject:
                return AboutAsk(subject)
        allowed = ", ".join(self.context.about)
        raise RequestError(f"{prefix}about: got {shown(item['about'])}, allowed: {allowed}")

    def encode_answer(self, ask: AboutAsk, answer: AboutAnswer) -> dict[str, Any]:  # noqa: ARG002  every kind is given
        """The subject, and what there is to know of it."""
        return {"about": ask.subject, **self.context.about[ask.subject]()}

    def num_pairs(self, ask: AboutAsk) -> int:  # noqa: ARG002  every kind is asked
        """None is rated; an answer is about as long as that of a hundred pairs."""
        return 100

    def request_schema(self) -> Schema:
        """One of the subjects."""
        return object_of({"about": {"enum": list(self.context.about)}})

    def answer_schema(self) -> Schema:
        """The subject, and facts; which ones depends on how the model was made."""
        return {"type": "object", "properties": {"about": {"enum": list(self.context.about)}}, "required": ["about"]}
