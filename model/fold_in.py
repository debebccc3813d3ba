"""Computes a user's vector from their ratings in closed form. One formula serves known and new users.

With the movies' posterior fixed, a user's ratings y_r of movies j_r are a Bayesian linear regression on the movies'
vectors (Lim & Teh 2007). Each user has a noise precision gamma (Lakshminarayanan et al. 2011):

    y_r = x_r . u + c_r + e_r,   e_r ~ N(0, 1 / (gamma w_r)),   u ~ N(mu, Lambda^-1),   gamma ~ Gamma(s / 2, s / 2)
    A = Lambda + gamma sum_r w_r E[x x'],   u = A^-1 (Lambda mu + gamma sum_r w_r (y_r E[x] - E[x c]))
    gamma = (s + n) / (s + sum_r w_r E[(y_r - x_r . u - c_r)^2])

x_r = (1, movie factors), c_r the movie's bias, w_r the movie's weight, n the number of ratings. gamma starts at 1, and
u and gamma are computed in turn a few times. Without ratings the vector is mu.

The tables hold the whole posterior of the movies. So new ratings can also update the movies without training: see
train/update/movie_rows.py.
"""

# No `from __future__ import annotations`: TorchScript cannot read annotations that are strings.
import torch
from torch import Tensor, nn

from model.moments import covariance_of, moments, triangle

EQUAL_NOISE = 1e5  # with this shape or a larger one, gamma stays so close to 1 that no rating changes visibly
_STEPS = 4


class FoldIn(nn.Module):
    """One factor block's user encoder.

    Args:
        mean: (M + 1, K) posterior means of the movies' (bias, factors), the unknown movie last.
        covariance: (M + 1, T) posterior covariances of the movies, as lower triangles.
        weight: (M + 1,) precision of a rating's noise for each movie, above 0.
        prior_mean, prior_precision: (K,) and (K, K), the prior of a user.
        noise_shape: s; `EQUAL_NOISE` or more keeps gamma at 1.
        popularity: (K,) change of a movie's prior mean per unit of the logarithm of its number of ratings. Only an
            update uses it; serving does not.
    """

    x: Tensor
    products: Tensor
    bias: Tensor
    bias_square: Tensor
    weight: Tensor
    square_index: Tensor
    precision: Tensor
    precision_times_mean: Tensor
    noise_shape: Tensor
    popularity: Tensor

    def __init__(
        self,
        mean: Tensor,
        covariance: Tensor,
        weight: Tensor,
        prior_mean: Tensor,
        prior_precision: Tensor,
        noise_shape: float,
        popularity: Tensor,
    ) -> None:
        super().__init__()
        x, outer, cross, bias_square = moments(mean, covariance)
        self.size = mean.shape[1]
        self.steps = _STEPS if noise_shape < EQUAL_NOISE else 1
        self.register_buffer("x", x)
        self.register_buffer("products", torch.cat([outer, cross], 1))  # (M + 1, T + K)
        self.register_buffer("bias", mean[:, 0].clone())
        self.register_buffer("bias_square", bias_square)
        self.register_buffer("weight", weight.clone())
        self.register_buffer("square_index", triangle(self.size, mean.device)[2])
        self.register_buffer("precision", prior_precision.clone())
        self.register_buffer("precision_times_mean", prior_precision @ prior_mean)
        self.register_buffer("noise_shape", torch.tensor(noise_shape))
        self.register_buffer("popularity", popularity.clone())

    def forward(self, owner: Tensor, movie_index: Tensor, target: Tensor, num_users: int) -> Tensor:
        """Vectors (num_users, K) of users from R targets: owner, movie_index and target are (R,)."""
        return self._solve(self._sums(owner, movie_index, target, num_users))[0]

    def posterior(self, owner: Tensor, movie_index: Tensor, target: Tensor, num_users: int) -> tuple[Tensor, ...]:
        """As `forward`: means (num_users, K), covariances (num_users, T) as lower triangles, and gamma (num_users,)."""
        mean, factor, gamma = self._solve(self._sums(owner, movie_index, target, num_users))
        row, column, _ = triangle(self.size, mean.device)
        return mean, torch.cholesky_inverse(factor)[:, row, column], gamma

    def movie_posterior(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Posterior means (N, K) and covariances (N, T) of the movies in `rows` (N,)."""
        x, bias = self.x[rows], self.bias[rows]
        covariance = covariance_of(x, self.products[rows], bias, self.bias_square[rows])
        return torch.cat([bias.unsqueeze(1), x[:, 1:]], 1), covariance

    def set_movies(self, rows: Tensor, mean: Tensor, covariance: Tensor) -> None:
        """Replaces the posteriors of the movies in `rows` (N,): means (N, K) and covariances (N, T)."""
        x, outer, cross, bias_square = moments(mean, covariance)
        self.x[rows] = x
        self.products[rows] = torch.cat([outer, cross], 1)
        self.bias[rows] = mean[:, 0]
        self.bias_square[rows] = bias_square

    def _sums(
        self, owner: Tensor, movie_index: Tensor, target: Tensor, num_users: int
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """The sums of the regression for each user: (N, K, K), (N, K), (N,), and the number of ratings (N,)."""
        size = self.size
        entries = self.products.shape[1] - size
        weight = self.weight[movie_index]
        weighted = self.products[movie_index] * weight.unsqueeze(1)
        sums = target.new_zeros(num_users, entries + size).index_add_(0, owner, weighted)
        gram = sums[:, :entries][:, self.square_index].view(num_users, size, size)
        target_times_x = self.x[movie_index] * (weight * target).unsqueeze(1)
        data_term = target.new_zeros(num_users, size).index_add_(0, owner, target_times_x) - sums[:, entries:]
        square = weight * (target * (target - 2 * self.bias[movie_index]) + self.bias_square[movie_index])
        total = target.new_zeros(num_users).index_add_(0, owner, square)
        count = target.new_zeros(num_users).index_add_(0, owner, torch.ones_like(target))
        return gram, data_term, total, count

    def _solve(self, sums: tuple[Tensor, Tensor, Tensor, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """Vectors (N, K), Cholesky factors of A (N, K, K) and gamma (N,) from `_sums`."""
        gram, data_term, total, count = sums
        gamma = torch.ones_like(count)
        for _ in range(self.steps - 1):
            scale = gamma.unsqueeze(1)
            factor = torch.linalg.cholesky(self.precision + gram * scale.unsqueeze(2))
            covariance = torch.cholesky_inverse(factor)
            vector = torch.bmm(covariance, (self.precision_times_mean + data_term * scale).unsqueeze(2)).squeeze(2)
            moment = covariance + vector.unsqueeze(2) * vector.unsqueeze(1)
            error = total - 2 * (vector * data_term).sum(1) + (moment * gram).sum((1, 2))
            gamma = (self.noise_shape + count) / (self.noise_shape + error.clamp_min(0.0))
        scale = gamma.unsqueeze(1)
        factor = torch.linalg.cholesky(self.precision + gram * scale.unsqueeze(2))
        vector = torch.cholesky_solve((self.precision_times_mean + data_term * scale).unsqueeze(2), factor).squeeze(2)
        return vector, factor, gamma
