"""The large tables of a TorchScript network, apart from it: saved beside it, and put in place once it is loaded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import torch

# Tensors and arrays from this size on are mapped. Below it, a page or two is not worth an entry of its own.
MAPPED_BYTES = 1 << 20
_TYPES = (torch.float16, torch.float32, torch.float64, torch.int8, torch.uint8, torch.int16, torch.int32, torch.int64)


def is_large(nbytes: int) -> bool:
    """Whether an array of so many bytes is mapped."""
    return nbytes >= MAPPED_BYTES


def large_tables(network: torch.nn.Module) -> dict[str, np.ndarray]:
    """The network's large tensors by their names, as arrays; one that has two names is one array."""
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
    """Removes the rows of these tables from the scripted network while the block runs."""
    kept: dict[str, torch.Tensor] = {name: getattr(*_place(network, name)) for name in names}
    try:
        for name, tensor in kept.items():
            _put(network, name, tensor.detach().new_empty(0, *tensor.shape[1:]))
        yield
    finally:
        for name, tensor in kept.items():
            _put(network, name, tensor)


def put_tables(network: torch.nn.Module, arrays: Mapping[str, np.ndarray], device: str) -> None:
    """Puts the arrays that are tables of the scripted network in their places."""
    for name in network.state_dict().keys() & arrays.keys():
        _put(network, name, torch.from_numpy(arrays[name]).to(device))


def _put(network: torch.nn.Module, name: str, tensor: torch.Tensor) -> None:
    module, attribute = _place(network, name)
    setattr(module, attribute, tensor)


def _place(network: torch.nn.Module, name: str) -> tuple[torch.nn.Module, str]:
    """The module that holds a tensor, and the tensor's name there."""
    *path, attribute = name.split(".")
    for one in path:
        network = getattr(network, one)
    return network, attribute
