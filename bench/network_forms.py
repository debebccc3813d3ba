"""The forms in which `bench.export` keeps a network: TorchScript, programs of `torch.export`, and Python classes.

A large table is an array of its own, which every process maps, as in an artifact. Only AOTInductor has it in its code.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from bench.growth import make_network
from bench.network_methods import METHODS, Program, export_method, method_of, put
from model.compiled_head import LIBRARY
from model.factor_network import FactorNetwork
from model.interest import Interest
from model.tables import emptied, large_tables
from model.torchscript import quiet_torchscript
from train.compile_head import compile_head

USERS, MOVIES = 52_028, 600  # KMRD's


class Loaded(NamedTuple):
    """What a load gives: the network as the scorer takes it, its methods, and the compiled head."""

    network: Any
    methods: Mapping[str, Callable[..., Tensor]]
    head: Path | None = None


class Form(NamedTuple):
    """Writes a network, which it may alter, into a folder, and says why it refuses a method; and loads the network."""

    write: Callable[[FactorNetwork, Path], dict[str, str]]
    load: Callable[[Path], Loaded]


def make(users: int = USERS) -> FactorNetwork:
    """An untrained network with an interest part; it is the same in each process."""
    network = make_network(users, MOVIES).requires_grad_(False)
    torch.manual_seed(1)
    weights, popularity = torch.randn(MOVIES + 1, MOVIES + 1) * 0.01, torch.rand(MOVIES + 1)
    network.add_module("interest", Interest(torch.arange(MOVIES + 1), weights, popularity, 0.2, 0.5, 0.3, 0.03, 5.5))
    return network.eval()


def _write_script(network: FactorNetwork, folder: Path) -> dict[str, str]:
    tables = _write_tables(network, folder)
    with quiet_torchscript():
        script = torch.jit.script(network)
        with emptied(script, tables):
            torch.jit.save(script, str(folder / "net.pt"))
    return {}


def _load_script(folder: Path) -> Loaded:
    with quiet_torchscript():
        return _with_tables(torch.jit.load(str(folder / "net.pt")), folder)


def _write_programs(network: FactorNetwork, folder: Path) -> dict[str, str]:
    for name, array in _write_tables(network, folder).items():
        put(network, name, torch.from_numpy(array[:1].copy()))  # one row in the place of the table
    return _write_each(network, folder, torch.export.save)


def _load_programs(folder: Path) -> Loaded:
    programs = {path.stem: torch.export.load(path).module() for path in folder.glob("*.pt2")}
    for name, tensor in _tables(folder).items():
        for program in programs.values():
            put(program, f"network.{name}", tensor)
    return Loaded(SimpleNamespace(**programs), programs)


def _write_compiled(network: FactorNetwork, folder: Path) -> dict[str, str]:
    def compile_program(program: Program, path: Path) -> None:
        torch._inductor.aoti_compile_and_package(program, package_path=str(path))

    return _write_each(network, folder, compile_program)


def _load_compiled(folder: Path) -> Loaded:
    methods = {path.stem: torch._inductor.aoti_load_package(str(path)) for path in folder.glob("*.pt2")}
    return Loaded(SimpleNamespace(**methods), methods)


def _write_classes(network: FactorNetwork, folder: Path) -> dict[str, str]:
    tables = _write_tables(network, folder)
    rest = {name: tensor.numpy() for name, tensor in network.state_dict().items() if name not in tables}
    np.savez(folder / "rest.npz", **rest)
    compile_head(folder)
    return {}


def _load_classes(folder: Path) -> Loaded:
    network = make(users=1)
    with np.load(folder / "rest.npz", allow_pickle=False) as rest:
        network.load_state_dict({name: torch.from_numpy(rest[name]) for name in rest}, strict=False)
    return _with_tables(network, folder)


def _load_classes_and_head(folder: Path) -> Loaded:
    return _load_classes(folder)._replace(head=folder / LIBRARY)


FORMS = {
    "TorchScript": Form(_write_script, _load_script),
    "torch.export": Form(_write_programs, _load_programs),
    "AOTInductor": Form(_write_compiled, _load_compiled),
    "Python classes": Form(_write_classes, _load_classes),
    "Python classes, compiled head": Form(_write_classes, _load_classes_and_head),
}


def _write_each(network: FactorNetwork, folder: Path, write: Callable[[Program, Path], object]) -> dict[str, str]:
    """Writes NAME.pt2 of every method; returns why it cannot be written."""
    refused = {}
    for name, method in METHODS.items():
        try:
            write(export_method(network, method), folder / f"{name}.pt2")
        except RuntimeError as error:
            refused[name] = f"{type(error).__name__}: {str(error).splitlines()[0]}"
    return refused


def _write_tables(network: FactorNetwork, folder: Path) -> dict[str, np.ndarray]:
    tables = large_tables(network)
    for name, array in tables.items():
        np.save(folder / f"{name}.npy", array)
    return tables


def _tables(folder: Path) -> dict[str, Tensor]:
    paths = folder.glob("*.npy")
    return {path.stem: torch.from_numpy(np.load(path, mmap_mode="c", allow_pickle=False)) for path in paths}


def _with_tables(network: Any, folder: Path) -> Loaded:
    for name, tensor in _tables(folder).items():
        put(network, name, tensor)
    return Loaded(network, {name: method_of(network, method) for name, method in METHODS.items()})
