"""The digest of an artifact: equal if two artifacts give the same answers, and wrong if one is damaged."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import numpy as np
import torch

from model.mapped import raw_bytes
from model.scale import RatingScale


def digest_of(
    network: torch.nn.Module, scale: RatingScale, parts: Mapping[str, bytes], arrays: Mapping[str, np.ndarray]
) -> str:
    """SHA-256 over the scale, the tensors, the maps and the mapped arrays, each under its name, sorted by names."""
    digest = hashlib.sha256(f"scale {scale.minimum} {scale.maximum}\n".encode())
    for name, tensor in sorted(network.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(np.ascontiguousarray(tensor.detach().cpu().numpy()).data)
    for name, data in sorted(parts.items()):
        digest.update(f"{name} {len(data)}\n".encode())
        digest.update(data)
    for name, array in sorted(arrays.items()):
        digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        digest.update(raw_bytes(array))
    return digest.hexdigest()
