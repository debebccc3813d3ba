"""The default network's head as machine code. An archive contains it if packing found a C compiler.

It computes the same as `FactorNetwork.head`, but without TorchScript's overhead for each operation, which dominates a
small batch. All other networks, devices and archives use TorchScript. `model/factor_head.c` is its source.
"""

from __future__ import annotations

import ctypes
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

logger = logging.getLogger(__name__)

SOURCE = Path(__file__).with_name("factor_head.c")
LIBRARY = "factor_head.so"
# The C code copies its inputs into arrays of this fixed size.
_MOST = 256
# A transposed copy of the movies' table makes ratings of a whole catalogue faster. Each process has its own, so only a
# small table gets one.
_MOST_COPIED_BYTES = 16 * 2**20
_COMPARED_PAIRS = 64
_TOLERANCE = 1e-5
_POINTERS = ("users", "movies", "columns", "mix", "bend", "out", "skip", "bias", "unit")


class _Head(ctypes.Structure):
    """`struct head` of the source."""

    _fields_ = [
        *((name, ctypes.c_int64) for name in ("k", "h", "levels", "num_users", "num_movies")),
        *((name, ctypes.c_float) for name in ("offset", "slope", "rating_weight", "lowest", "highest")),
        *((name, ctypes.c_void_p) for name in _POINTERS),
    ]


class CompiledHead:
    """The head of one network, on a CPU. It keeps the network's tables, and transposed copies of small ones.

    Raises:
        OSError: the library was not compiled for this machine.
        AttributeError: the network lacks a part that this code needs; an older release may have written it.
    """

    def __init__(self, network: Any, library: Path) -> None:
        ordinal = network.ordinal
        movies = network.movie_embedding.weight
        tables = (
            network.user_embedding.weight,
            movies,
            movies.T if movies.nbytes <= _MOST_COPIED_BYTES else None,
            ordinal.mix.weight.T,
            ordinal.slope,
            ordinal.out.weight.T,
            ordinal.skip,
            ordinal.out.bias,
            ordinal.unit,
        )
        self.num_users, self.num_movies = len(tables[0]), len(movies)
        self._kept = [None if table is None else table.detach().contiguous() for table in tables]
        sizes = (network.size, len(ordinal.slope), len(ordinal.unit), self.num_users, self.num_movies)
        values = (network.offset, network.slope, network.rating_weight, ordinal.lowest, ordinal.highest)
        pointers = [None if table is None else table.data_ptr() for table in self._kept]
        self._head = _Head(*sizes, *map(float, values), *pointers)
        self._address = ctypes.byref(self._head)
        self._score_pairs = ctypes.CDLL(str(library)).score_pairs
        self._score_pairs.restype = ctypes.c_int64
        plain, address = ctypes.c_int64, ctypes.c_void_p
        self._score_pairs.argtypes = [address, plain, address, address, address, plain, address]

    def units(self, user_index: np.ndarray, movie_index: np.ndarray, fold_ins: Sequence[Tensor]) -> np.ndarray:
        """User rows (B,) and movie rows (B,) -> unit scores (B,) float32; see `Scorer.rate`.

        Raises:
            IndexError: a row is outside its table.
        """
        units = np.empty(len(user_index), dtype=np.float32)
        self._write(_rows(user_index), _rows(movie_index), _stacked(fold_ins), units)
        return units

    def units_of_all(self, user_index: np.ndarray, movie_index: np.ndarray, fold_ins: Sequence[Tensor]) -> np.ndarray:
        """Every user row (N,) with every movie row (M,) -> unit scores (N, M) float32; see `units`."""
        units = np.empty((len(user_index), len(movie_index)), dtype=np.float32)
        movies, vectors = _rows(movie_index), _stacked(fold_ins)
        for user, row in zip(user_index, units, strict=True):
            self._write(np.full(len(movies), user, dtype=np.int64), movies, vectors, row)
        return units

    def _write(self, users: np.ndarray, movies: np.ndarray, fold_ins: Tensor | None, units: np.ndarray) -> None:
        place = self._score_pairs(
            self._address,
            len(users),
            users.ctypes.data,
            movies.ctypes.data,
            None if fold_ins is None else fold_ins.data_ptr(),
            0 if fold_ins is None else len(fold_ins),
            units.ctypes.data,
        )
        if place < len(users):
            raise IndexError(f"pair {place}: user row {users[place]} or movie row {movies[place]} is outside its table")


def library_beside(artifact: Path) -> Path | None:
    """The library in the folder of an unpacked archive; None if the archive has none, or one of another source.

    Only the same source is known to have the functions and structures that this module calls.
    """
    folder = artifact.parent / SOURCE.parent.name
    library, source = folder / LIBRARY, folder / SOURCE.name
    if library.is_file() and source.is_file() and source.read_bytes() == SOURCE.read_bytes():
        return library
    return None


def find_compiled_head(network: Any, library: Path | None) -> CompiledHead | None:
    """The compiled head of a network on a CPU; None if none fits the network, or if its results differ."""
    if library is None or getattr(network, "original_name", type(network).__name__) != "FactorNetwork":
        return None
    if max(network.size, len(network.ordinal.slope), len(network.ordinal.unit)) > _MOST:
        return None
    try:
        head = CompiledHead(network, library)
    except (OSError, AttributeError) as error:  # compiled for another machine, or a network of an earlier release
        logger.warning("ratings are computed by TorchScript: %s", error)
        return None
    users, movies = _compared_pairs(head.num_users, head.num_movies)
    with torch.inference_mode():
        expected = network(torch.from_numpy(users), torch.from_numpy(movies)).numpy()
    difference = float(np.abs(head.units(users, movies, ()) - expected).max())
    if not difference <= _TOLERANCE:
        logger.warning("ratings are computed by TorchScript: the compiled head differs by %g", difference)
        return None
    return head


def _rows(index: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(index, dtype=np.int64)


def _stacked(fold_ins: Sequence[Tensor]) -> Tensor | None:
    return torch.stack(list(fold_ins)).contiguous() if fold_ins else None


def _compared_pairs(num_users: int, num_movies: int) -> tuple[np.ndarray, np.ndarray]:
    """Random pairs, and one user with movies whose rows follow each other, which the head reads in another way."""
    generator = np.random.default_rng(0)
    users, movies = (generator.integers(0, number, _COMPARED_PAIRS) for number in (num_users, num_movies))
    following = np.arange(min(num_movies, _COMPARED_PAIRS))
    return np.append(users, np.full(len(following), users[0])), np.append(movies, following)
