"""The default network: two factor blocks and a small ordinal network, mixed into one unit score.

    unit(u, m) = s clamp(offset + slope (b_u + c_m + u . v)) + (1 - s) ordinal(user tower + movie tower, u' * v', f')

The rating block (b, c, u, v) predicts the standardised rating. The score block (primed) predicts its normal score,
which the ordinal network turns into an expected rating. A table's row is W = 2 K + H wide: the rating block (K), the
score block (K), the tower (H). The last rows stand for a user without ratings and for an unknown movie.

`encode_users` computes a user's row from their ratings in closed form. So a new user, or a user with new ratings, needs
no training; the user table only caches the results. train/factors/variational.py fits the blocks.
"""

# No `from __future__ import annotations`: TorchScript cannot read annotations that are strings.
import torch
from torch import Tensor, nn

from model.fold_in import FoldIn
from model.network import RatingNetwork
from model.ordinal import OrdinalHead
from model.scale import RatingScale


class FactorNetwork(RatingNetwork):
    """An `EncodingNetwork`. Its user table is all zeros until somebody copies the rows of `encode_users` into it.

    Args:
        rating_block, score_block: encoders of the rating block and the score block.
        ordinal: levels and network on top of the score block.
        movies: (num_movies + 1, W) rows of the movies.
        num_users: the number of known users.
        standard: mean and standard deviation of the ratings, in rating units; they standardise the rating block's
            target.
        scale: the rating scale.
        rating_weight: s, the rating block's share in the unit score, 0 to 1.
    """

    standard: Tensor
    offset: Tensor
    slope: Tensor
    rating_weight: Tensor

    def __init__(
        self,
        rating_block: FoldIn,
        score_block: FoldIn,
        ordinal: OrdinalHead,
        movies: Tensor,
        num_users: int,
        standard: tuple[float, float],
        scale: RatingScale,
        rating_weight: float,
    ) -> None:
        super().__init__(num_users, len(movies) - 1)
        self.size = rating_block.size
        self.rating_block = rating_block
        self.score_block = score_block
        self.ordinal = ordinal
        mean, deviation = standard
        for name, value in (("offset", scale.to_unit(mean)), ("slope", deviation / scale.span)):
            self.register_buffer(name, torch.tensor(value))
        self.register_buffer("rating_weight", torch.tensor(rating_weight))
        self.register_buffer("standard", torch.tensor(standard))
        users = torch.zeros(num_users + 1, movies.shape[1])
        self.user_embedding = nn.Embedding.from_pretrained(users, freeze=True)
        self.movie_embedding = nn.Embedding.from_pretrained(movies.clone(), freeze=True)

    @torch.jit.export
    def user_tower(self, user_index: Tensor) -> Tensor:
        """(B,) int64 rows of users -> (B, W)."""
        row: Tensor = self.user_embedding(user_index)
        return row

    @torch.jit.export
    def movie_tower(self, movie_index: Tensor) -> Tensor:
        """(B,) int64 rows of movies -> (B, W)."""
        row: Tensor = self.movie_embedding(movie_index)
        return row

    @torch.jit.export
    def movie_vectors(self, movie_index: Tensor) -> Tensor:
        """(B,) int64 rows of movies -> (B, 2 K - 2): the factors of both blocks, without biases."""
        row = self.movie_embedding(movie_index)
        return torch.cat([row[:, 1 : self.size], row[:, self.size + 1 : 2 * self.size]], 1)

    @torch.jit.export
    def head(self, user: Tensor, movie: Tensor) -> Tensor:
        """Two towers' outputs, broadcast against each other, (..., W) -> (...,) unit scores."""
        k = self.size
        standardised = user[..., 0] + movie[..., 0] + (user[..., 1:k] * movie[..., 1:k]).sum(-1)
        hidden, product, score = self.ordinal_inputs(user, movie)
        ordinal = self.ordinal(hidden, product, score)
        straight = (self.offset + self.slope * standardised).clamp(0.0, 1.0)
        return torch.lerp(ordinal, straight, self.rating_weight).clamp(0.0, 1.0)

    @torch.jit.export
    def sketch(self, user: Tensor, movie: Tensor) -> Tensor:
        """Approximates `head` for users (N, 1, W) and movies (1, M, W) -> (N, M) unit scores.

        It replaces the ordinal network by a line: the regression of the levels' unit scores on their normal scores.
        Its order of movies is close to the head's.
        """
        k = self.size
        user, movie = user.squeeze(1), movie.squeeze(0)
        rating = torch.addmm(movie[:, 0], user[:, 1:k], movie[:, 1:k].T) + user[:, :1]
        score = torch.addmm(movie[:, k], user[:, k + 1 : 2 * k], movie[:, k + 1 : 2 * k].T) + user[:, k : k + 1]
        share, level, unit = self.ordinal.share, self.ordinal.score, self.ordinal.unit
        away = share * (level - (share * level).sum())
        line = (share * unit).sum() + (away * unit).sum() / (away * level).sum() * (score - (share * level).sum())
        return torch.lerp(line, (self.offset + self.slope * rating).clamp(0.0, 1.0), self.rating_weight)

    @torch.jit.export
    def level_probabilities(self, user: Tensor, movie: Tensor) -> Tensor:
        """The ordinal network's probability of each rating level, (..., L), from two towers' outputs as in `head`."""
        hidden, product, score = self.ordinal_inputs(user, movie)
        return torch.softmax(self.ordinal.logits(hidden, product, score), -1)

    def ordinal_inputs(self, user: Tensor, movie: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The ordinal network's inputs: the sum of its two towers, the score block's product, and the block's score."""
        k = self.size
        product = user[..., k + 1 : 2 * k] * movie[..., k + 1 : 2 * k]
        score = user[..., k] + movie[..., k] + product.sum(-1)
        return user[..., 2 * k :] + movie[..., 2 * k :], product, score

    def forward(self, user_index: Tensor, movie_index: Tensor) -> Tensor:
        """(B,) int64 rows of users and of movies -> (B,) float32 unit scores in 0..1."""
        return self.head(self.user_tower(user_index), self.movie_tower(movie_index))

    @torch.jit.export
    def encode_users(self, owner: Tensor, movie_index: Tensor, rating: Tensor, num_users: int) -> Tensor:
        """Computes the rows (num_users, W) of users from R >= 0 ratings, in rating units.

        owner (R,) int64: the user of each rating, 0..num_users-1. movie_index (R,) int64: its movie's row.
        """
        level = self.ordinal.level(rating)
        target = (rating - self.standard[0]) / self.standard[1]
        rating_row = self.rating_block(owner, movie_index, target, num_users)
        score_row = self.score_block(owner, movie_index, self.ordinal.score[level], num_users)
        hidden = self.ordinal.user_tower(score_row, self.ordinal.histogram(owner, level, num_users))
        return torch.cat([rating_row, score_row, hidden], 1)

    @torch.jit.export
    def encode_user(self, movie_index: Tensor, rating: Tensor) -> Tensor:
        """The row (W,) of one user from their R ratings (R,); without ratings it is the unknown user's row."""
        return self.encode_users(torch.zeros_like(movie_index), movie_index, rating, 1)[0]
