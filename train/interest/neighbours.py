"""The weights of movies beyond the table: each movie has a small linear model of its own, from its nearest movies.

With G and lambda of train/interest/linear.py, and the k movies N that are nearest to a movie t beyond the table, by
|G(t, h)| / sqrt(A(h, h)), where A = G + diag lambda:

    W(N, t) = A(N, N)^-1 G(N, t),    1 / P(t, t) = A(t, t) - G(t, N) W(N, t)

That is the closed form of the table for N and t alone. A movie of the table learns from t by the same P, which is
symmetric: W(t, h) = W(h, t) P(t, t) / P(h, h).

Movies stand in an order here: those of the table first, then the others, the most taken first. A pair is looked up in
the row of the later one, the rarer of the two, whose row is short.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from scipy import sparse

from train.cores import in_order

# Pairs of neighbours over all movies: it bounds the time. The larger the catalogue, the fewer neighbours has a movie.
_MOST_PAIRS = 20_000_000
# Entries of G that are kept at a time.
_MOST_ENTRIES = 50_000_000
_FEWEST_NEIGHBOURS = 8
# Products of a part of G's rows, and entries of the A(N, N) of a part of the movies.
_PART_PRODUCTS = 1 << 22
_PART_ENTRIES = 1 << 22


@dataclass(frozen=True)
class Table:
    """What is known of the C movies of the table: G (C, C) and 1 / P(h, h) (C,)."""

    gram: np.ndarray
    unexplained: np.ndarray


@dataclass(frozen=True)
class _Nearest:
    """The neighbours of T movies: places (T, k) in the order, -1 where there are fewer, and G (T, k) with each."""

    place: np.ndarray
    gram: np.ndarray


@dataclass(frozen=True)
class _Earlier:
    """G of movies beyond the table with movies before them, of K movies in all.

    key: (E,) int64, ascending: number of the movie beyond the table, times K, plus place of the other. gram: (E,).
    """

    key: np.ndarray
    gram: np.ndarray
    size: int

    @classmethod
    def joined(cls, parts: Sequence[tuple[np.ndarray, np.ndarray]], size: int) -> _Earlier:
        """Of key and gram of each part, in order."""
        keys, grams = zip(*parts, strict=True)
        return cls(np.concatenate(keys), np.concatenate(grams), size)

    def of(self, movie: np.ndarray, place: np.ndarray) -> np.ndarray:
        """G (N,) of N pairs; 0 where it was not kept."""
        wanted = movie * self.size + place
        order = np.argsort(wanted)  # in this order each search begins where the last one ended: half of the time
        wanted = wanted[order]
        found = np.searchsorted(self.key, wanted).clip(max=len(self.key) - 1)
        gram = np.empty(len(wanted), np.float32)
        gram[order] = np.where(self.key[found] == wanted, self.gram[found], 0)
        return gram


def fit_neighbours(
    rows: sparse.csc_matrix, penalty: np.ndarray, table: Table, most: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The pairs of K movies in their order: the history's movie (E,), the other (E,), and the weight (E,) float32.

    Args:
        rows: sqrt(D) X, (groups, K).
        penalty: lambda (K,).
        most: the most neighbours of a movie.
    """
    size, beyond = rows.shape[1], rows.shape[1] - len(table.gram)
    number = int(min(most, max(_FEWEST_NEIGHBOURS, (2 * _MOST_PAIRS / beyond) ** 0.5), size - 1))
    diagonal = np.asarray(rows.multiply(rows).sum(0)).ravel() + penalty
    parts = list(_parts_of_gram(rows, len(table.gram), diagonal, number))
    nearest = _Nearest(np.concatenate([one.place for one, _ in parts]), np.concatenate([one.gram for one, _ in parts]))
    earlier = _Earlier.joined([one for _, one in parts], size)
    step = max(1, _PART_ENTRIES // number**2)

    def weights(start: int) -> np.ndarray:
        place, gram = nearest.place[start : start + step], nearest.gram[start : start + step]
        system = _grams_of(place, earlier, table.gram)
        system[:, range(number), range(number)] = np.where(place < 0, 1.0, diagonal[place])
        solved: np.ndarray = torch.linalg.solve(torch.from_numpy(system), torch.from_numpy(gram)).numpy()
        return solved

    weight = np.concatenate(list(in_order(weights, range(0, beyond, step))))
    unexplained = diagonal[len(table.gram) :] - (nearest.gram * weight).sum(1)
    return _both_ways(nearest.place, weight, unexplained, table.unexplained)


def _parts_of_gram(
    rows: sparse.csc_matrix, start: int, diagonal: np.ndarray, number: int
) -> Iterator[tuple[_Nearest, tuple[np.ndarray, np.ndarray]]]:
    """By part of the movies from the place `start` on: the nearest of each, and key and G of those before it."""
    of_movies, of_groups = rows.T.tocsr()[start:], rows.tocsr()
    products = np.bincount(_rows_of(of_movies), np.diff(of_groups.indptr)[of_movies.indices], of_movies.shape[0])
    keep = max(number, _MOST_ENTRIES // of_movies.shape[0])
    ends = np.flatnonzero(np.diff(np.cumsum(products) // _PART_PRODUCTS, append=np.inf)) + 1

    def part(edges: tuple[int, int]) -> tuple[_Nearest, tuple[np.ndarray, np.ndarray]]:
        first, end = edges
        place, gram = _padded(of_movies[first:end] @ of_groups)
        near = np.where(place < 0, 0, np.abs(gram) / np.sqrt(diagonal[place]))
        own = np.arange(start + first, start + end)[:, None]
        near[place == own] = 0
        nearest = _Nearest(*_first_of(near, place, gram, number))
        place, gram = _first_of(np.where(place < own, near, 0), place, gram, min(keep, near.shape[1]))
        real = place >= 0
        return nearest, (((own - start) * rows.shape[1] + place)[real], gram[real])

    return in_order(part, pairwise([0, *ends.tolist()]))


def _padded(matrix: sparse.csr_matrix) -> tuple[np.ndarray, np.ndarray]:
    """The columns (R, L), ascending, and values (R, L) of a matrix of R rows; -1 and 0 where a row has fewer than L."""
    matrix.sort_indices()
    number = np.diff(matrix.indptr)
    real = np.arange(number.max(initial=1)) < number[:, None]
    place = np.full(real.shape, -1)
    gram = np.zeros(real.shape, np.float32)
    place[real], gram[real] = matrix.indices, matrix.data
    return place, gram


def _first_of(near: np.ndarray, place: np.ndarray, gram: np.ndarray, number: int) -> tuple[np.ndarray, np.ndarray]:
    """Places and G (R, number) of the nearest, by place; -1 and 0 where there are fewer.

    If no more are given, all that are near stay where they are.
    """
    if number == near.shape[1]:
        return np.where(near > 0, place, -1), np.where(near > 0, gram, 0)
    short = max(0, number - near.shape[1])
    near, place, gram = (np.pad(one, ((0, 0), (0, short))) for one in (near, place, gram))
    best = torch.from_numpy(near).topk(number, 1, sorted=False).indices.numpy()
    place = np.where(np.take_along_axis(near, best, 1) > 0, np.take_along_axis(place, best, 1), -1)
    order = np.argsort(place, 1)
    place = np.take_along_axis(place, order, 1)
    return place, np.where(place < 0, 0, np.take_along_axis(gram, np.take_along_axis(best, order, 1), 1))


def _grams_of(place: np.ndarray, earlier: _Earlier, table: np.ndarray) -> np.ndarray:
    """G (B, k, k) of B groups of k places, ascending in each, without the diagonal; 0 for the place -1."""
    late, early = np.tril_indices(place.shape[1], -1)
    later, sooner = place[:, late], place[:, early]
    found = np.zeros(later.shape, np.float32)
    inside = (sooner >= 0) & (later < len(table))
    found[inside] = table[later[inside], sooner[inside]]
    beyond = (sooner >= 0) & (later >= len(table))
    found[beyond] = earlier.of(later[beyond] - len(table), sooner[beyond])
    system = np.zeros((*place.shape, place.shape[1]), np.float32)
    system[:, late, early] = found
    system[:, early, late] = found
    return system


def _both_ways(
    place: np.ndarray, weight: np.ndarray, unexplained: np.ndarray, of_table: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs from each neighbour to its movie, and back to the movies of the table."""
    movie = np.broadcast_to(np.arange(len(place))[:, None] + len(of_table), place.shape)
    real = place >= 0
    source, target, value = place[real], movie[real], weight[real]
    back = source < len(of_table)
    scale = of_table[source[back]] / unexplained[target[back] - len(of_table)]
    return (
        np.concatenate([source, target[back]]),
        np.concatenate([target, source[back]]),
        np.concatenate([value, value[back] * scale]).astype(np.float32),
    )


def _rows_of(matrix: sparse.csr_matrix) -> np.ndarray:
    return np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
