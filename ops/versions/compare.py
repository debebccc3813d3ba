"""Whether two answers to one request say the same, in what clients rely on."""

from __future__ import annotations

from typing import Any

# A rating has six decimals; a batch of another size, or a GPU, may change the last ones.
TOLERANCE = 1e-4
# What an answer is compared by. Titles and the like may be told otherwise by an archive that was packed by other code.
_COMPARED = frozenset({"user_id", "movie_id", "rating", "unknown", "recommendations", "code", "outputs", "data"})


class SmokeError(RuntimeError):
    """A version does not answer as its archive says it must."""


def find_difference(served: Any, expected: Any, where: str = "") -> str | None:
    """The first place where an answer differs from the expected one in what clients rely on; None where none does."""
    if isinstance(expected, dict) and isinstance(served, dict):
        names = sorted(_COMPARED & (served.keys() | expected.keys()))
        parts = ((served.get(name), expected.get(name), f"{where}.{name}".lstrip(".")) for name in names)
    elif isinstance(expected, list) and isinstance(served, list) and len(served) == len(expected):
        if where == "recommendations":
            served = _in_order_of(expected, served)
        parts = ((one, other, f"{where}[{i}]") for i, (one, other) in enumerate(zip(served, expected, strict=True)))
    elif isinstance(expected, float) and isinstance(served, float) and abs(served - expected) <= TOLERANCE:
        return None
    else:
        return None if served == expected else f"{where}: served {served!r}, expected {expected!r}"
    found = (find_difference(*part) for part in parts)
    return next((difference for difference in found if difference is not None), None)


def _in_order_of(expected: list[Any], served: list[Any]) -> list[Any]:
    """Recommendations, with those changed back whose ratings tie: which of them comes first is nobody's promise."""
    by_id = {one["movie_id"]: one["rating"] for one in expected}
    last = expected[-1]["rating"] if expected else 0.0
    return [
        {**one, "movie_id": other["movie_id"]}
        if abs(by_id.get(one.get("movie_id"), last) - other["rating"]) <= TOLERANCE
        else one
        for one, other in zip(served, expected, strict=True)
    ]
