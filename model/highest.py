"""The highest of many scores, in an order that does not depend on chance."""

from __future__ import annotations

import numpy as np


def highest(scores: np.ndarray, top_k: int | None) -> np.ndarray:
    """Positions of the `top_k` highest scores, highest first; among equals the earlier one."""
    if top_k is not None and top_k < len(scores):
        smallest = np.partition(scores, len(scores) - top_k)[len(scores) - top_k]
        chosen = np.flatnonzero(scores >= smallest)
    else:
        chosen = np.arange(len(scores))
    order: np.ndarray = chosen[np.argsort(-scores[chosen], kind="stable")][:top_k]
    return order
