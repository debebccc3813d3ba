"""The weights of movies outside the interest's table: each such movie has weights only for its nearest movies.

A large catalogue has too many pairs of movies for a table. Only E pairs have a weight. They are sorted by the movie of
the history, so the time for a user depends on their number of ratings, not on the size of the catalogue.
"""

# No `from __future__ import annotations`: TorchScript cannot read annotations that are strings.
import numpy as np
import torch
from torch import Tensor, nn


class Neighbours(nn.Module):
    """Weights of E pairs among M movies; E is 0 if the table contains every movie with weights.

    Args:
        first: (M + 2,) int64; if the history's movie is in row m, its pairs are `first[m]` to `first[m + 1]`.
        target: (E,) int32, the row of the movie whose interest the pair raises.
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
        """Adds the weights of R ratings to `taste` (N, M + 1), in place.

        movie_index, strength, owner: (R,), the movie's row, the strength and the user of each rating.
        """
        if self.target.numel() > 0:
            rating, pair = self._pairs(movie_index)
            place = owner[rating] * taste.size(1) + self.target[pair]
            taste.view(-1).index_add_(0, place, strength[rating] * self.weight[pair])

    def weights_of(self, movie_index: Tensor, target: int) -> Tensor:
        """The weight (R,) of each movie in movie_index (R,) for the movie in row `target`; 0 without a pair."""
        rating, pair = self._pairs(movie_index)
        weight = self.weight[pair] * (self.target[pair] == target)
        return torch.zeros(movie_index.numel(), dtype=weight.dtype, device=weight.device).index_add_(0, rating, weight)

    def _pairs(self, movie_index: Tensor) -> tuple[Tensor, Tensor]:
        """All P pairs of these movies: the position of the movie in movie_index (P,), and that of the pair (P,)."""
        first = self.first[movie_index]
        number = self.first[movie_index + 1] - first
        rating = torch.repeat_interleave(number)
        before = torch.cumsum(number, 0) - number
        return rating, (first - before)[rating] + torch.arange(rating.numel(), device=rating.device)


def no_neighbours(num_movies: int, device: torch.device | None = None) -> Neighbours:
    """An empty list of pairs, for an interest whose table contains every movie with weights."""
    empty = torch.zeros(0, device=device)
    first = torch.zeros(num_movies + 2, dtype=torch.int64, device=device)
    return Neighbours(first, empty.to(torch.int32), empty)


def list_pairs(source: np.ndarray, target: np.ndarray, weight: np.ndarray, num_movies: int) -> Neighbours:
    """Makes the list from E pairs in any order: rows of the history's movies, rows of the targets, and weights (E,)."""
    order = np.lexsort((target, source))
    first = np.append(0, np.cumsum(np.bincount(source, minlength=num_movies + 1)))
    arrays = first, target[order].astype(np.int32), weight[order].astype(np.float32)
    return Neighbours(*(torch.from_numpy(array) for array in arrays))


def moved_neighbours(neighbours: Neighbours, rows: np.ndarray, num_movies: int) -> Neighbours:
    """The same pairs for a catalogue of `num_movies` in which the movie in row m has moved to row rows[m]."""
    pairs = neighbours.first.diff().numpy()
    source = np.repeat(np.arange(len(pairs)), pairs)
    return list_pairs(rows[source], rows[neighbours.target.numpy()], neighbours.weight.numpy(), num_movies)
