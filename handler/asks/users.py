"""`{"users": 10}`: users that the model knows, drawn at random, or by how their ids begin (`"prefix": "42"`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handler import options
from handler.asks.base import AskCodec
from handler.errors import RequestError, allow_fields, shown
from handler.schema_terms import SIZE, TEXT, Schema, array_of, object_of, ref
from model.asks import UsersAnswer, UsersAsk

USERS_FIELDS = frozenset({"users", "prefix"})


class UsersCodec(AskCodec[UsersAsk, UsersAnswer]):
    """Lists of users; the setting `list_users` switches them off."""

    name = "users"
    answer_name = "users"
    marks = ("users",)

    def decode_item(self, item: Mapping[str, Any], prefix: str) -> UsersAsk:
        """How many, and how their ids begin."""
        allow_fields(item, USERS_FIELDS, prefix)
        if not self.context.settings.list_users:
            raise RequestError(f"{prefix}users: this server lists no users (list_users: false)", 403, "Forbidden")
        start = item.get("prefix")
        if "prefix" in item and not isinstance(start, str):
            raise RequestError(f"{prefix}prefix: expected text, got {shown(start)}")
        return UsersAsk(options.count(item["users"], f"{prefix}users", self.context.settings.max_top_k), start)

    def encode_answer(self, ask: UsersAsk, answer: UsersAnswer) -> dict[str, Any]:  # noqa: ARG002  every kind is given
        """The users, and how many ratings each gave."""
        pairs = zip(answer.user_ids, answer.ratings.tolist(), strict=True)
        return {"users": [{"user_id": user_id, "ratings": ratings} for user_id, ratings in pairs]}

    def num_pairs(self, ask: UsersAsk) -> int:
        """None is rated; what the answer holds counts."""
        return ask.number

    def request_schema(self) -> Schema:
        """The number, and how the ids begin."""
        allowed = self.context.settings.list_users
        number: Schema | bool = options.count_schema(self.context.settings.max_top_k) if allowed else False
        return object_of({"users": number}, {"prefix": TEXT})

    def answer_schema(self) -> Schema:
        """A list of users."""
        return object_of({"users": array_of(object_of({"user_id": ref("user_id"), "ratings": SIZE}))})
