"""Compares two answers to one request, in the fields that clients rely on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

# A rating has six decimals; the last ones depend on the size of the batch, and on the GPU.
TOLERANCE = 1e-4
# Movies whose scores differ by at most this may swap places.
_TIE = 1e-5
# An archive that was packed by other code may write other fields, such as titles, differently.
_COMPARED = frozenset({"user_id", "rating", "unknown", "recommendations", "code", "outputs", "data"})


class SmokeError(RuntimeError):
    """A version's answer differs from the answer that its archive gives."""


def find_difference(served: Any, expected: Any, item_id: str, where: str = "") -> str | None:
    """The first difference between an answer and the expected one, in the compared fields; None if there is none.

    item_id: the field with a movie's id, which is compared too.
    """
    parts = _parts(served, expected, item_id, where)
    if parts is not None:
        differences = (find_difference(one, other, item_id, place) for one, other, place in parts)
        return next((difference for difference in differences if difference is not None), None)
    if isinstance(served, float) and isinstance(expected, float) and abs(served - expected) <= TOLERANCE:
        return None
    return None if served == expected else f"{where}: served {served!r}, expected {expected!r}"


def _parts(served: Any, expected: Any, item_id: str, where: str) -> Iterator[tuple[Any, Any, str]] | None:
    """The pairs of values in two objects, or in two arrays of equal length, and their places; None for other values."""
    if isinstance(served, dict) and isinstance(expected, dict):
        names = sorted((_COMPARED | {item_id}) & (served.keys() | expected.keys()))
        return ((served.get(name), expected.get(name), f"{where}.{name}".lstrip(".")) for name in names)
    if isinstance(served, list) and isinstance(expected, list) and len(served) == len(expected):
        if where == "recommendations":
            served = _in_order_of(expected, served, item_id)
        pairs = enumerate(zip(served, expected, strict=True))
        return ((one, other, f"{where}[{place}]") for place, (one, other) in pairs)
    return None


def _in_order_of(expected: list[Any], served: list[Any], item_id: str) -> list[Any]:
    """Recommendations with the expected movie wherever its score ties with the served movie's.

    Movies with equal scores have no fixed order. A movie that is not expected at all ties with the last one.
    """
    known = {one[item_id]: one for one in expected}
    found = []
    for one, other in zip(served, expected, strict=True):
        same = known.get(one.get(item_id), {**expected[-1], "rating": one.get("rating")})
        differs = find_difference(one.get("rating"), same["rating"], item_id) is not None
        if abs(same["score"] - other["score"]) <= _TIE and not differs:
            found.append({**one, item_id: other[item_id], "rating": other["rating"]})
        else:
            found.append(one)
    return found
