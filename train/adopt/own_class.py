"""The network's class from a Python file of the user's: imported, and made with the arguments that were given."""

from __future__ import annotations

import importlib.util
import inspect
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from torch import nn

from train.errors import DataError


def make_network(module: str, module_args: str) -> nn.Module:
    """An instance of the class that `FILE.py:NAME` names, made with these arguments, a JSON object.

    Raises:
        DataError: the file, the class or its arguments cannot be used.
    """
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
    except ValueError:  # some built-in classes have no signature
        return
    try:
        signature.bind(**arguments)
    except TypeError as error:
        way = "set the arguments by MODULE_ARGS, such as '{\"num_users\": 610}'"
        raise DataError(f"MODULE: {name}{signature}: {error}; {way}") from None


def _import(path: Path) -> Any:
    """The module of a file. It may import the files beside it and, within a package, the modules of the package."""
    name, root = path.stem, path.resolve().parent
    while (root / "__init__.py").is_file():
        name, root = f"{root.name}.{name}", root.parent
    if name in sys.modules:  # do not replace a library of the same name
        name = f"own_{name.replace('.', '_')}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise DataError(f"MODULE: {path}: not a Python file; its name must end in .py")
    found = importlib.util.module_from_spec(spec)
    before = list(sys.path)
    sys.path[:0] = [str(path.resolve().parent), str(root)]
    sys.modules[name] = found
    try:
        spec.loader.exec_module(found)
    except (Exception, SystemExit) as error:
        told = f"{type(error).__name__}: {error}"
        raise DataError(
            f"MODULE: {path} cannot be imported: {told}; importing runs the file once, from top to bottom"
        ) from error
    finally:
        sys.path[:] = before
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
