"""The weights from the head of a large catalogue, its most rated movies, to each other movie.

A movie of the tail gets weights from its nearest `neighbours` of the head alone, those with the highest G(h, m) /
sqrt(G(h, h)). Over these, they minimise what train/interest/linear.py minimises over all movies (fSLIM: Ning and
Karypis 2011, "SLIM: Sparse linear methods for top-n recommender systems", with a ridge). Memory grows with the number
of movies, not with its square.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from model.interest import Tail

# A very large catalogue gets fewer neighbours, so that it has no more weights than this: 64 MiB.
_MOST_WEIGHTS = 2**23
_MOVIES_AT_ONCE = 512


def fit_tail(
    rows: sparse.csc_matrix, head: np.ndarray, tail: np.ndarray, products: Tensor, ridge: Tensor, neighbours: int
) -> Tail:
    """The weights from the C movies `head` to the T movies `tail`.

    rows: `weighted_rows` of all movies. products: G (C, C) of the head. ridge: lambda (C,).
    """
    number = min(neighbours, len(head), _MOST_WEIGHTS // max(len(tail), 1))
    columns, movies, weights = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)], [np.zeros(0, np.float32)]
    if number:
        of_head = rows[:, head].T.tocsr()
        for movie, column, weight in _solved(rows, of_head, tail, products, ridge, number):
            chosen = weight != 0
            columns.append(column[chosen])
            movies.append(np.broadcast_to(movie[:, None], chosen.shape)[chosen])
            weights.append(weight[chosen])
    column = np.concatenate(columns)
    order = np.argsort(column, kind="stable")
    start = np.concatenate(([0], np.cumsum(np.bincount(column, minlength=len(head) + 1))))
    return Tail(
        torch.from_numpy(start),
        torch.from_numpy(np.concatenate(movies)[order].astype(np.int32)),
        torch.from_numpy(np.concatenate(weights)[order]),
    )


def _solved(
    rows: sparse.csc_matrix, of_head: sparse.csr_matrix, tail: np.ndarray, products: Tensor, ridge: Tensor, number: int
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Some movies (B,) at a time: their rows, their neighbours' columns (B, number), and the weights, 0 for no tie."""
    scale = products.diagonal().clamp_min(1e-9).rsqrt()
    for first in range(0, len(tail), _MOVIES_AT_ONCE):
        movies = tail[first : first + _MOVIES_AT_ONCE]
        together = torch.from_numpy((of_head @ rows[:, movies]).toarray()).T
        column = (together * scale).topk(number, sorted=False).indices
        target = together.gather(1, column)
        own = products[column[:, :, None], column[:, None, :]]
        own.diagonal(dim1=1, dim2=2).add_(ridge[column])
        weight = torch.cholesky_solve(target[:, :, None], torch.linalg.cholesky(own))[:, :, 0]
        yield movies, column.numpy(), torch.where(target > 0, weight, 0.0).numpy()
