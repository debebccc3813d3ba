"""The weights of movies beyond the table of the interest: each has a few, those of its nearest movies.

A large catalogue has too many pairs of movies for a table. The E pairs with a weight are listed by the movie of the
history, so that a user costs time by what they rated, not by the size of the catalogue.
"""

# No `from __future__ import annotations`: TorchScript reads the attributes' annotations as they are.
import numpy as np
import torch
from torch import Tensor, nn


class Neighbours(nn.Module):
    """Weights of E pairs among M movies; E is 0 where the table holds every movie.

    Args:
        first: (M + 2,) int64; the pairs of the history's movie of row m are `first[m]` to `first[m + 1]`.
        target: (E,) int32, the row of the movie that each pair makes interesting.
        weight: (E,) float32.
    """

    first: Tensor
    target: Tensor
    weight: Tensor

    def __init__(self, first: Tensor, target: Tensor, weight: Tensor) -> None:
        super().__init__()
        self.register_buffer("first", first)
        self.register_buffer("target", target)
        self.register_buffer("weight", weight)

    def add_to(self, taste: Tensor, movie_index: Tensor, strength: Tensor, owner: Tensor) -> None:
        """Adds to `taste` (N, M + 1) what R ratings say, each of row movie_index (R,) and of the user `owner` (R,)."""
        if self.target.numel() > 0:
            rating, pair = self._pairs(movie_index)
            place = owner[rating] * taste.size(1) + self.target[pair]
            taste.view(-1).index_add_(0, place, strength[rating] * self.weight[pair])

    def weights_of(self, movie_index: Tensor, target: int) -> Tensor:
        """Weight (R,) of each movie of rows movie_index (R,) for the one of row `target`; 0 for no pair."""
        rating, pair = self._pairs(movie_index)
        weight = self.weight[pair] * (self.target[pair] == target)
        return torch.zeros(movie_index.numel(), dtype=weight.dtype, device=weight.device).index_add_(0, rating, weight)

    def _pairs(self, movie_index: Tensor) -> tuple[Tensor, Tensor]:
        """All pairs of these movies: which of them (P,), and the place of the pair (P,)."""
        first = self.first[movie_index]
        number = self.first[movie_index + 1] - first
        rating = torch.repeat_interleave(number)
        before = torch.cumsum(number, 0) - number
        return rating, (first - before)[rating] + torch.arange(rating.numel(), device=rating.device)


def no_neighbours(num_movies: int) -> Neighbours:
    """No pairs: the table of the interest holds every movie that has weights."""
    empty = torch.zeros(0)
    return Neighbours(torch.zeros(num_movies + 2, dtype=torch.int64), empty.to(torch.int32), empty)


def list_pairs(source: np.ndarray, target: np.ndarray, weight: np.ndarray, num_movies: int) -> Neighbours:
    """The pairs (E,) of rows in any order: the history's movie, the movie that it makes interesting, and the weight."""
    order = np.lexsort((target, source))
    first = np.append(0, np.cumsum(np.bincount(source, minlength=num_movies + 1)))
    arrays = first, target[order].astype(np.int32), weight[order].astype(np.float32)
    return Neighbours(*(torch.from_numpy(array) for array in arrays))


def moved_neighbours(neighbours: Neighbours, rows: np.ndarray, num_movies: int) -> Neighbours:
    """The same pairs of a catalogue of `num_movies`, in which the movie of row m has the row rows[m]."""
    pairs = neighbours.first.diff().numpy()
    source = np.repeat(np.arange(len(pairs)), pairs)
    return list_pairs(rows[source], rows[neighbours.target.numpy()], neighbours.weight.numpy(), num_movies)
