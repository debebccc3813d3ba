"""The large tables of a TorchScript network: saved beside the network, and put back after loading."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import torch

# Tensors and arrays of at least this size are mapped. A smaller one is not worth its own entry.
MAPPED_BYTES = 1 << 20
_TYPES = (torch.float16, torch.float32, torch.float64, torch.int8, torch.uint8, torch.int16, torch.int32, torch.int64)


def is_large(nbytes: int) -> bool:
    """Whether an array of this many bytes is mapped."""
    return nbytes >= MAPPED_BYTES


def large_tables(network: torch.nn.Module) -> dict[str, np.ndarray]:
    """The network's large tensors by name, as arrays. Two names of one tensor give the same array."""
    found = {}
    seen: dict[tuple[int, torch.dtype, torch.Size, tuple[int, ...]], np.ndarray] = {}
    for name, tensor in network.state_dict().items():
        if tensor.dtype in _TYPES and tensor.dim() and is_large(tensor.nbytes):
            place = tensor.data_ptr(), tensor.dtype, tensor.shape, tensor.stride()
            if place not in seen:
                seen[place] = tensor.detach().cpu().contiguous().numpy()
            found[name] = seen[place]
    return found


@contextmanager
def emptied(network: torch.nn.Module, names: Mapping[str, np.ndarray]) -> Iterator[None]:
    """Empties these tables of the scripted network while the block runs."""
    kept: dict[str, torch.Tensor] = {name: getattr(*_place(network, name)) for name in names}
    try:
        for name, tensor in kept.items():
            _put(network, name, tensor.detach().new_empty(0, *tensor.shape[1:]))
        yield
    finally:
        for name, tensor in kept.items():
            _put(network, name, tensor)


def put_tables(network: torch.nn.Module, arrays: Mapping[str, np.ndarray], device: str) -> None:
    """Puts the arrays that are tables of the scripted network back into it."""
    for name in network.state_dict().keys() & arrays.keys():
        _put(network, name, torch.from_numpy(arrays[name]).to(device))


def _put(network: torch.nn.Module, name: str, tensor: torch.Tensor) -> None:
    module, attribute = _place(network, name)
    setattr(module, attribute, tensor)


def _place(network: torch.nn.Module, name: str) -> tuple[torch.nn.Module, str]:
    """The module that holds a tensor, and the tensor's name in that module."""
    *path, attribute = name.split(".")
    for one in path:
        network = getattr(network, one)
    return network, attribute
