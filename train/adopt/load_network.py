"""Loads the network as a TorchScript module: from a TorchScript file, or from a class in Python and its state_dict.

It loads no pickled objects: from a file by torch.save, it reads only tensors.
"""

from __future__ import annotations

import importlib.util
import inspect
import json
import sys
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from train.errors import DataError

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
    try:
        network: torch.jit.ScriptModule = torch.jit.load(str(path), map_location="cpu")
        return network
    except RuntimeError as error:
        way = "a state_dict has no code: name its class by MODULE=FILE.py:CLASS; or save it by torch.jit.script"
        raise DataError(f"{path}: not a TorchScript file ({_first_line(error)}); {way}") from None


def _scripted(path: Path, module: str, module_args: str) -> torch.jit.ScriptModule:
    network = _make(module, module_args)
    try:
        network.load_state_dict(_read_state(path))
    except RuntimeError as error:
        lines = [line.strip() for line in str(error).splitlines()[1:] if line.strip()]
        told = " ".join(lines) or str(error)
        raise DataError(
            f"{path}: does not fit {module}: {told} (MODULE_ARGS gives the class other arguments)"
        ) from None
    _number_defaults_as_tensors(type(network).forward)
    try:
        return torch.jit.script(network.eval())
    except Exception as error:  # the compiler raises errors of many types
        told = " ".join(str(error).split())
        raise DataError(f"{module}: TorchScript cannot compile it, and nothing else can be served: {told}") from None


def _make(module: str, module_args: str) -> nn.Module:
    """An instance of the class that `FILE.py:NAME` names."""
    file, _, name = module.rpartition(":")
    path = Path(file)
    if not file or not name:
        raise DataError(f'MODULE: got "{module}", allowed is FILE.py:NAME, such as my_model.py:NeuMF')
    if not path.is_file():
        raise DataError(f"MODULE: {path}: no such file")
    maker = getattr(_import(path), name, None)
    if not callable(maker):
        raise DataError(f"MODULE: {path} has no class or function {name}")
    arguments = _arguments(module_args)
    _refuse_other_arguments(maker, name, arguments)
    try:
        network = maker(**arguments)
    except Exception as error:
        raise DataError(f"MODULE: {name} failed: {type(error).__name__}: {error}") from error
    if not isinstance(network, nn.Module):
        raise DataError(f"MODULE: {name} gives {type(network).__name__}, allowed is a torch.nn.Module")
    return network


def _refuse_other_arguments(maker: Callable[..., Any], name: str, arguments: dict[str, Any]) -> None:
    try:
        signature = inspect.signature(maker)
    except ValueError:  # a built-in class has no signature
        return
    try:
        signature.bind(**arguments)
    except TypeError as error:
        way = "MODULE_ARGS gives them, such as '{\"num_users\": 610}'"
        raise DataError(f"MODULE: {name}{signature}: {error}; {way}") from None


def _import(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise DataError(f"MODULE: {path}: not a Python file; its name must end in .py")
    found = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.resolve().parent))  # so that it can import files beside it
    sys.modules[path.stem] = found
    try:
        spec.loader.exec_module(found)
    except Exception as error:
        raise DataError(f"MODULE: {path} cannot be imported: {type(error).__name__}: {error}") from error
    finally:
        sys.path.pop(0)
    return found


def _arguments(module_args: str) -> dict[str, Any]:
    try:
        found = json.loads(module_args or "{}")
    except ValueError:
        found = None
    if not isinstance(found, dict):
        told = f"MODULE_ARGS: got {module_args}, allowed is a JSON object"
        raise DataError(f"{told}, such as '{{\"num_users\": 610}}'")
    return found


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
