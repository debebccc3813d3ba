"""The movie vectors of an adopted network. They make movies comparable, as `similar` needs."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from model.vocabulary import Vocabulary
from train.adopt.id_files import NetworkIds
from train.adopt.inputs import VECTORS, is_method
from train.errors import DataError

_BATCH = 4_096
_MOST_SHOWN = 8


def declared_vectors(
    network: torch.jit.ScriptModule, table: str | None, movies: NetworkIds, name: str, words: Vocabulary
) -> Tensor:
    """(num_movies, V) float32 vectors of our rows: of the tensor `table`, else of `movie_vectors`; V = 0 without both.

    Raises:
        DataError: the tensor or the method gives no finite vector of each movie.
    """
    rows = torch.from_numpy(movies.rows)
    if table is not None:
        vectors, where = _of_table(network, table, rows, name, words), f"{name}: {table}"
    elif is_method(network, VECTORS):
        vectors, where = _of_method(network, rows, name), f"{name}: {VECTORS}"
    else:
        return torch.empty(len(rows), 0)
    wrong = torch.isfinite(vectors).all(1).logical_not().nonzero()
    if len(wrong):
        raw = movies.ids.raw(wrong[:1, 0].numpy())[0]
        told = f"the vector on row {rows[wrong[0, 0]]}, of {words.item} {raw}"
        raise DataError(f"{where}: {told}, holds a number that is not finite; allowed are finite numbers")
    return vectors


def _of_table(network: torch.jit.ScriptModule, table: str, rows: Tensor, name: str, words: Vocabulary) -> Tensor:
    tensors = network.state_dict()
    tables = {own: tensor for own, tensor in tensors.items() if tensor.dim() == 2 and tensor.is_floating_point()}
    if table not in tables:
        shown = [f"{own} {tuple(tensor.shape)}" for own, tensor in tables.items()]
        found = ", ".join(shown[:_MOST_SHOWN]) + (", ..." if len(shown) > _MOST_SHOWN else "")
        got = f"{table} has shape {tuple(tensors[table].shape)}" if table in tensors else f"no tensor {table}"
        raise DataError(
            f"VECTORS: {name}: {got}; allowed is a table of numbers, one row for each {words.item}: {found}"
        )
    needed = int(rows.max()) + 1
    if len(tables[table]) < needed:
        shape = tuple(tables[table].shape)
        raise DataError(f"VECTORS: {name}: {table} has shape {shape}, but the {words.items} need {needed} rows or more")
    vectors: Tensor = tables[table][rows].float()
    return vectors


def _of_method(network: Any, rows: Tensor, name: str) -> Tensor:
    try:
        with torch.inference_mode():
            parts = [network.movie_vectors(part) for part in rows.split(_BATCH)]
    except Exception as error:  # another person's network may raise any error
        told = str(error).strip().splitlines()[-1]
        raise DataError(f"{name}: {VECTORS} fails on rows up to {int(rows.max())}: {told}") from None
    for part, asked in zip(parts, rows.split(_BATCH), strict=True):
        got = tuple(part.shape) if isinstance(part, Tensor) else type(part).__name__
        if not isinstance(part, Tensor) or part.dim() != 2 or len(part) != len(asked) or not part.is_floating_point():
            wanted = f"floating-point vectors of shape ({len(asked)}, width)"
            raise DataError(f"{name}: {VECTORS} gives {got} for {len(asked)} rows, allowed are {wanted}")
    return torch.cat(parts).float().clone()
