"""Raw ids of users, part by part: joined in one order, and as tensors, which processes send each other."""

from __future__ import annotations

import numpy as np
import torch


def ranked(each: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The ids (N,) of several arrays, end to end: ascending, from where each one came, and where each one went."""
    ids = np.concatenate(each)
    order = np.argsort(ids, kind="stable")
    rank = np.empty(len(ids), dtype=np.int64)
    rank[order] = np.arange(len(ids))
    return ids[order], order, rank


def ids_tensor(ids: np.ndarray) -> tuple[torch.Tensor, int]:
    """Ids as a tensor, and the width of an id in bytes if they are strings, else 0."""
    if ids.dtype.kind == "S":
        return torch.from_numpy(ids.view(np.uint8).copy()), ids.dtype.itemsize
    return torch.from_numpy(ids.copy()), 0


def ids_of(tensor: torch.Tensor, width: int) -> np.ndarray:
    """What `ids_tensor` was given."""
    return tensor.numpy().view(f"S{width}") if width else tensor.numpy()
