"""Requests in the words that every model understands, `item_id` and `item_ids`, told in the model's own."""

from __future__ import annotations

from typing import Any

from handler.errors import RequestError
from model.vocabulary import ITEM_ID, ITEM_IDS, Vocabulary


def with_own_words(item: dict[str, Any], prefix: str, words: Vocabulary) -> dict[str, Any]:
    """An object of a request, its fields `item_id` and `item_ids` called by the model's own words.

    Raises:
        RequestError: it has the same field by both names; `prefix` says where the object lies.
    """
    if ITEM_ID not in item and ITEM_IDS not in item:
        return item
    own = {ITEM_ID: words.item_id, ITEM_IDS: words.item_ids}
    both = [(name, word) for name, word in own.items() if name in item and word in item and name != word]
    if both:
        name, word = both[0]
        raise RequestError(f"{prefix}{name}: {word} is there too, and both say the same: expected one of them")
    return {own.get(name, name): value for name, value in item.items()}
