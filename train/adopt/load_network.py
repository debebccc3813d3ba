"""Loads the network as a TorchScript module: from a TorchScript file, or from a class in Python and its state_dict.

It loads no pickled objects: from a file by torch.save, it reads only tensors.
"""

from __future__ import annotations

import inspect
import warnings
import zipfile
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from train.adopt.inputs import TOWERS, VECTORS
from train.adopt.own_class import make_network
from train.errors import DataError

# A file that marks an archive of TorchScript, and one that marks an archive of torch.save.
_CODE, _PICKLE = "constants.pkl", "data.pkl"
_STATE_KEYS = ("state_dict", "model_state_dict", "model")


def load_network(path: Path, module: str, module_args: str) -> torch.jit.ScriptModule:
    """The network, scripted, in evaluation mode, with parameters of at least 32 bits.

    Raises:
        DataError: the file contains no network or does not fit the class, or TorchScript cannot compile the class.
    """
    if not path.is_file():
        raise DataError(f"--model: {path}: no such file")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*torch.jit.*")
        network = _scripted(path, module, module_args) if module else _torchscript(path)
    network.eval()
    for parameter in network.parameters():
        parameter.requires_grad_(False)
    if any(tensor.dtype in (torch.float16, torch.bfloat16) for tensor in network.state_dict().values()):
        network.float()
    return network


def _torchscript(path: Path) -> torch.jit.ScriptModule:
    _refuse_other_kinds(path)
    try:
        network: torch.jit.ScriptModule = torch.jit.load(str(path), map_location="cpu")
        return network
    except RuntimeError as error:
        raise DataError(f"{path}: cannot be loaded as a TorchScript file: {_first_line(error)}") from None


def _refuse_other_kinds(path: Path) -> None:
    """Names the kind of a file that is not TorchScript; the loader calls every such file damaged."""
    way = "save it by torch.jit.script(model).save(path), or name the class of its state_dict by MODULE=FILE.py:CLASS"
    if path.suffix == ".safetensors":
        raise DataError(f"{path}: contains tensors but no code: name the network's class by MODULE=FILE.py:CLASS")
    if not zipfile.is_zipfile(path):
        raise DataError(f"{path}: not a TorchScript file: {way}")
    with zipfile.ZipFile(path) as file:
        entries = {name.rpartition("/")[2] for name in file.namelist()}
    if _CODE not in entries:
        what = "a file of torch.save, which contains no code" if _PICKLE in entries else "another archive"
        raise DataError(f"{path}: got {what}, allowed is a TorchScript file: {way}")


def _scripted(path: Path, module: str, module_args: str) -> torch.jit.ScriptModule:
    network = make_network(module, module_args)
    try:
        network.load_state_dict(_without_prefix(_read_state(path), network.state_dict().keys()))
    except RuntimeError as error:
        lines = [line.strip() for line in str(error).splitlines()[1:] if line.strip()]
        told = " ".join(lines) or str(error)
        raise DataError(
            f"{path}: does not fit {module}: {told} (give the class the right sizes by MODULE_ARGS)"
        ) from None
    _export(type(network))
    _number_defaults_as_tensors(type(network).forward)
    try:
        return torch.jit.script(network.eval())
    except Exception as error:  # the compiler raises errors of many types
        told = " ".join(str(error).split())
        raise DataError(
            f"{module}: TorchScript cannot compile it, and only TorchScript can be served: {told}"
        ) from None


def _read_state(path: Path) -> Mapping[str, Tensor]:
    """The tensors by name; they may be inside a checkpoint with further entries."""
    if path.suffix == ".safetensors":
        return load_file(path)
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # the unpickler and the archive's reader raise errors of many types
        way = "save it by torch.save(model.state_dict(), path)"
        raise DataError(f"{path}: not a state_dict ({_first_line(error)}); {way}") from None
    for key in _STATE_KEYS:
        if isinstance(found, dict) and isinstance(found.get(key), dict):
            found = found[key]
    if not isinstance(found, dict) or not all(isinstance(value, Tensor) for value in found.values()):
        raise DataError(f"{path}: got {type(found).__name__}, allowed is a state_dict: tensors by name")
    return found


def _without_prefix(state: Mapping[str, Tensor], wanted: Collection[str]) -> Mapping[str, Tensor]:
    """The tensors by the class's own names, without the prefix that a wrapper put before all of them."""
    renamed = {name.partition(".")[2]: tensor for name, tensor in state.items()}
    is_wrapped = len({name.partition(".")[0] for name in state}) == 1 and renamed.keys() == set(wanted)
    return renamed if is_wrapped else state


def _export(network: type[nn.Module]) -> None:
    """Marks the methods that are served as ones to compile, where the class has them."""
    for name in (*TOWERS, VECTORS):
        if inspect.isfunction(method := getattr(network, name, None)):
            torch.jit.export(method)


def _number_defaults_as_tensors(forward: Callable[..., Any]) -> None:
    """Makes parameters such as `min_rating=1` compile: a number as the default, and no annotation.

    TorchScript expects a tensor for a parameter without annotation, and refuses a number as its default.
    """
    parameters = inspect.signature(forward).parameters.values()
    with_default = [one for one in parameters if one.default is not one.empty]
    if forward.__defaults__ is not None and any(one.annotation is one.empty for one in with_default):
        plain = zip(forward.__defaults__, with_default, strict=False)
        forward.__defaults__ = tuple(
            torch.tensor(float(value)) if one.annotation is one.empty and type(value) in (int, float) else value
            for value, one in plain
        )


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
