"""How an artifact stores ids, histories and events: small ones as extra files, large ones as mapped arrays."""

from __future__ import annotations

import io
from collections.abc import Mapping

import numpy as np

from model.events import NO_EVENTS, EventHistory
from model.history import History
from model.ids import IdMap
from model.tables import is_large

_SIDES = ("user_ids", "movie_ids")
_HISTORY = ("offsets", "movie_index", "ratings")
_EVENTS = ("offsets", "movie_index")


def stored_maps(
    user_ids: IdMap, movie_ids: IdMap, history: History, events: EventHistory
) -> tuple[dict[str, np.ndarray], dict[str, bytes]]:
    """Returns the large arrays, and the bytes of all other arrays, each by name."""
    arrays, extra = {}, {}
    for name, ids in zip(_SIDES, (user_ids.ids, movie_ids.ids), strict=True):
        if is_large(ids.nbytes):
            arrays[name] = ids
        else:
            extra[name] = _array_bytes(ids)
    if is_large(sum(getattr(history, name).nbytes for name in _HISTORY)):
        arrays |= {f"history.{name}": getattr(history, name) for name in _HISTORY}
    else:
        extra["history"] = history.to_bytes()
    if is_large(sum(getattr(events, name).nbytes for name in _EVENTS)):
        arrays |= {f"events.{name}": getattr(events, name) for name in _EVENTS}
    elif len(events.movie_index):
        extra["events"] = events.to_bytes()
    return arrays, extra


def loaded_maps(
    arrays: Mapping[str, np.ndarray], extra: Mapping[str, bytes]
) -> tuple[IdMap, IdMap, History, EventHistory]:
    """Restores the arguments of `stored_maps`.

    Raises:
        KeyError, ValueError: something is missing or damaged.
    """
    users, movies = (IdMap(arrays[name] if name in arrays else _array(extra[name])) for name in _SIDES)
    if "history" in extra:
        history = History.from_bytes(extra["history"])
    else:
        history = History(*(arrays[f"history.{name}"] for name in _HISTORY))
    return users, movies, history, _loaded_events(arrays, extra)


def _loaded_events(arrays: Mapping[str, np.ndarray], extra: Mapping[str, bytes]) -> EventHistory:
    if "events" in extra:
        return EventHistory.from_bytes(extra["events"])
    if "events.offsets" in arrays:
        return EventHistory(*(arrays[f"events.{name}"] for name in _EVENTS))
    return NO_EVENTS


def _array_bytes(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def _array(data: bytes) -> np.ndarray:
    array: np.ndarray = np.load(io.BytesIO(data), allow_pickle=False)
    return array
