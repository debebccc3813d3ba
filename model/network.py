"""The networks: a user row and a movie row in, a unit score in 0..1 out.

Every served network has two towers and a head, so that either side can be computed once and kept:

    unit(u, m) = head(user_tower(u), movie_tower(m))

`user_tower` and `movie_tower` look rows up; the row after the last user (movie) is the unknown user (movie).
All of it is TorchScript; the four methods are exported. `EmbeddingMLP` is the reference; the default network is in
model/factor_network.py.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor, nn


class TowerNetwork(Protocol):
    """The methods that serving needs from a network, scripted or not."""

    def user_tower(self, user_index: Tensor) -> Tensor:
        """(B,) int64 rows of users -> (B, W)."""

    def movie_tower(self, movie_index: Tensor) -> Tensor:
        """(B,) int64 rows of movies -> (B, W)."""

    def head(self, user: Tensor, movie: Tensor) -> Tensor:
        """Two towers' outputs, broadcast against each other, (..., W) -> (...,) unit scores."""


class EncodingNetwork(TowerNetwork, Protocol):
    """A network that computes a user's row from their ratings. So it can answer for a new user without training.

    A network declares this by exporting `encode_users`. Only `Artifact.encoder` checks for it.
    """

    def encode_users(self, owner: Tensor, movie_index: Tensor, rating: Tensor, num_users: int) -> Tensor:
        """Rows (num_users, W) of the user table from R ratings, in rating units. All other arguments are (R,)."""

    def encode_user(self, movie_index: Tensor, rating: Tensor) -> Tensor:
        """The row (W,) of one user from R ratings (R,) of movies (R,); the unknown user's row if R is 0."""


class RatingNetwork(nn.Module):
    """The base class of every network that is trained here. It implements `TowerNetwork`.

    Args:
        num_users, num_movies: numbers of known ids; each table has one more row, for the unknown id.
    """

    def __init__(self, num_users: int, num_movies: int) -> None:
        super().__init__()
        self.num_users = num_users
        self.num_movies = num_movies


class EmbeddingMLP(RatingNetwork):
    """The reference network: an MLP over the concatenation of two embeddings (He et al. 2017, section 3.3).

        x = [dropout(P[u]); dropout(Q[m])],   unit = sigmoid(w . f_L(... f_1(x)) + b),
        f_l(x) = dropout(relu(W_l x + b_l))

    `W_1 x` is computed as `W_user p + W_movie q`, which is the same layer, split at the concatenation.

    Args:
        num_users, num_movies: numbers of known ids; each table has one more row, for the unknown id.
        embedding_dim: width of each embedding, D.
        hidden_dims: widths of the hidden layers; the first is the width of the towers, W.
        dropout: share of hidden units dropped in training.
        embedding_dropout: share of embedding entries dropped in training.
    """

    def __init__(
        self,
        num_users: int,
        num_movies: int,
        embedding_dim: int = 16,
        hidden_dims: Sequence[int] = (64, 32, 16),
        dropout: float = 0.3,
        embedding_dropout: float = 0.05,
    ) -> None:
        super().__init__(num_users, num_movies)
        self.user_embedding = nn.Embedding(num_users + 1, embedding_dim)
        self.movie_embedding = nn.Embedding(num_movies + 1, embedding_dim)
        self.embedding_dropout = nn.Dropout(embedding_dropout)
        self.user_linear = nn.Linear(embedding_dim, hidden_dims[0], bias=False)
        self.movie_linear = nn.Linear(embedding_dim, hidden_dims[0])
        layers: list[nn.Module] = [nn.ReLU(), nn.Dropout(dropout)]
        for width, next_width in itertools.pairwise(hidden_dims):
            layers += [nn.Linear(width, next_width), nn.ReLU(), nn.Dropout(dropout)]
        self.mlp = nn.Sequential(*layers, nn.Linear(hidden_dims[-1], 1))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draws new values for all parameters: uniform small embeddings, Xavier for the layers."""
        for table in (self.user_embedding, self.movie_embedding):
            nn.init.uniform_(table.weight, -0.05, 0.05)
        bound = (6 / (2 * self.user_embedding.embedding_dim + self.user_linear.out_features)) ** 0.5
        nn.init.uniform_(self.user_linear.weight, -bound, bound)
        nn.init.uniform_(self.movie_linear.weight, -bound, bound)
        nn.init.constant_(self.movie_linear.bias, 0.01)
        for layer in self.mlp:
            if isinstance(layer, nn.Linear):
                nn.init.xavier_uniform_(layer.weight)
                nn.init.constant_(layer.bias, 0.01)

    @torch.jit.export
    def user_tower(self, user_index: Tensor) -> Tensor:
        """(B,) int64 rows of users -> (B, W): the user's part of the first layer."""
        hidden: Tensor = self.user_linear(self.embedding_dropout(self.user_embedding(user_index)))
        return hidden

    @torch.jit.export
    def movie_tower(self, movie_index: Tensor) -> Tensor:
        """(B,) int64 rows of movies -> (B, W): the movie's part of the first layer."""
        hidden: Tensor = self.movie_linear(self.embedding_dropout(self.movie_embedding(movie_index)))
        return hidden

    @torch.jit.export
    def head(self, user: Tensor, movie: Tensor) -> Tensor:
        """Two towers' outputs, broadcast against each other, (..., W) -> (...,) unit scores."""
        logit: Tensor = self.mlp(user + movie).squeeze(-1)
        return torch.sigmoid(logit)

    def forward(self, user_index: Tensor, movie_index: Tensor) -> Tensor:
        """(B,) int64 rows of users and of movies -> (B,) float32 unit scores in 0..1."""
        return self.head(self.user_tower(user_index), self.movie_tower(movie_index))
