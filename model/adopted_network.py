"""Networks that were trained elsewhere, wrapped in the protocol of model/network.py.

Such a network has its own row order. `user_rows` and `movie_rows` map our rows to its rows.

A network that gives no more than a score of two indices is an `AdoptedNetwork`. Its towers are the rows themselves, so
the head runs the whole network. A network with two towers is an `AdoptedTowers`: either side is computed once.

Either may have vectors of its movies, by which they are compared: see model/similarity.py.
"""

# No `from __future__ import annotations`: TorchScript cannot read annotations that are strings.
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from model.scale import RatingScale

Output = Literal["rating", "unit", "logit", "probability"]
OUTPUTS: tuple[Output, ...] = get_args(Output)


class ToUnit(nn.Module):
    """Converts a network's score (...,) into a unit score (...,) float32 in 0..1.

    Args:
        output: what the network returns: a rating on the scale, a score in 0..1, a logit, or a probability.
        scale: the rating scale.
    """

    def __init__(self, output: Output, scale: RatingScale) -> None:
        super().__init__()
        self.is_logit: bool = output == "logit"
        self.low: float = scale.minimum if output == "rating" else 0.0
        self.span: float = scale.span if output == "rating" else 1.0

    def forward(self, score: Tensor) -> Tensor:
        """Converts scores; a score outside the scale becomes the nearest bound."""
        if self.is_logit:
            return torch.sigmoid(score.float())
        return ((score.float() - self.low) / self.span).clamp(0.0, 1.0)


class _Adopted(nn.Module):
    """The common part of both wrappers: the network, the meaning of its score, and its row for each of our rows."""

    user_rows: Tensor
    movie_rows: Tensor
    unknown_user: Tensor
    unknown_movie: Tensor
    vectors: Tensor

    def __init__(
        self,
        network: nn.Module,
        to_unit: ToUnit,
        user_rows: Tensor,
        movie_rows: Tensor,
        unknown_user: Tensor,
        unknown_movie: Tensor,
        vectors: Tensor,
    ) -> None:
        super().__init__()
        self.num_users = len(user_rows)
        self.num_movies = len(movie_rows)
        self.network = network
        self.to_unit = to_unit
        # Row 0 stands in for the unknown id. Its result is never used, because the tables hold the unknown's scores.
        self.register_buffer("user_rows", torch.cat([user_rows, user_rows[:1]]))
        self.register_buffer("movie_rows", torch.cat([movie_rows, movie_rows[:1]]))
        self.register_buffer("unknown_user", unknown_user)
        self.register_buffer("unknown_movie", unknown_movie)
        self.register_buffer("vectors", vectors)

    def forward(self, user_index: Tensor, movie_index: Tensor) -> Tensor:
        """(B,) int64 rows of users and of movies -> (B,) float32 unit scores in 0..1."""
        unit: Tensor = self.head(self.user_tower(user_index), self.movie_tower(movie_index))  # type: ignore[operator]
        return unit


class AdoptedNetwork(_Adopted):
    """Wraps a network that only maps user rows (B,) and movie rows (B,) to scores (B,) or (B, 1).

    Args:
        network: the network, scripted; its rows are in its own order.
        to_unit: what its score means.
        user_rows, movie_rows: (num_users,) and (num_movies,) int64, the network's row of each of our rows.
        unknown_user: (num_movies + 1,) unit scores of each movie by an unknown user; the last is the unknown movie's.
        unknown_movie: (num_users + 1,) unit scores of an unknown movie by each user; the last is the unknown user's.
        vectors: (num_movies, V) by which movies are compared; V = 0 where the network has none.
    """

    @torch.jit.export
    def movie_vectors(self, movie_index: Tensor) -> Tensor:
        """(B,) int64 rows of known movies -> (B, V)."""
        return self.vectors[movie_index]

    @torch.jit.export
    def user_tower(self, user_index: Tensor) -> Tensor:
        """(B,) int64 rows of users -> (B, 1) int64: the same rows."""
        return user_index.unsqueeze(-1)

    @torch.jit.export
    def movie_tower(self, movie_index: Tensor) -> Tensor:
        """(B,) int64 rows of movies -> (B, 1) int64: the same rows."""
        return movie_index.unsqueeze(-1)

    @torch.jit.export
    def head(self, user: Tensor, movie: Tensor) -> Tensor:
        """Rows of users and movies, broadcast against each other, (..., 1) -> (...,) unit scores."""
        users, movies = torch.broadcast_tensors(user.squeeze(-1), movie.squeeze(-1))
        if users.numel() == 0:
            return torch.zeros(users.shape, device=users.device)
        score = self.network(self.user_rows[users].reshape(-1), self.movie_rows[movies].reshape(-1))
        unit = self.to_unit(score.reshape(users.shape))
        unit = torch.where(users == self.num_users, self.unknown_user[movies], unit)
        return torch.where(movies == self.num_movies, self.unknown_movie[users], unit)


class AdoptedTowers(_Adopted):
    """Wraps a network with `user_tower(user_index)`, `movie_tower(movie_index)` and `head(user, movie)`.

    Args:
        network: the network, scripted; its rows are in its own order.
        to_unit: what the head's score means.
        user_rows, movie_rows: (num_users,) and (num_movies,) int64, the network's row of each of our rows.
        unknown_user, unknown_movie: (W,), the towers' outputs of an unknown user and of an unknown movie.
        vectors: (num_movies, V) by which movies are compared; V = 0: by the movie tower's outputs.
    """

    @torch.jit.export
    def movie_vectors(self, movie_index: Tensor) -> Tensor:
        """(B,) int64 rows of known movies -> (B, V), or (B, W) of the movie tower."""
        if self.vectors.shape[1] == 0:
            return self.movie_tower(movie_index)
        return self.vectors[movie_index]

    @torch.jit.export
    def user_tower(self, user_index: Tensor) -> Tensor:
        """(B,) int64 rows of users -> (B, W)."""
        vector: Tensor = self.network.user_tower(self.user_rows[user_index])  # type: ignore[operator]
        return torch.where((user_index == self.num_users).unsqueeze(-1), self.unknown_user, vector)

    @torch.jit.export
    def movie_tower(self, movie_index: Tensor) -> Tensor:
        """(B,) int64 rows of movies -> (B, W)."""
        vector: Tensor = self.network.movie_tower(self.movie_rows[movie_index])  # type: ignore[operator]
        return torch.where((movie_index == self.num_movies).unsqueeze(-1), self.unknown_movie, vector)

    @torch.jit.export
    def head(self, user: Tensor, movie: Tensor) -> Tensor:
        """Two towers' outputs, broadcast against each other, (..., W) -> (...,) unit scores."""
        users, movies = torch.broadcast_tensors(user, movie)
        score: Tensor = self.network.head(users, movies)  # type: ignore[operator]
        unit: Tensor = self.to_unit(score.reshape(users.shape[:-1]))
        return unit
