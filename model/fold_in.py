"""A user's vector from the ratings they gave, in closed form: known and new users by one formula.

With the movies' posterior fixed, a user's ratings y_r of movies j_r are a Bayesian linear regression on the movies'
vectors (Lim & Teh 2007), whose noise has a precision of its own, gamma (Lakshminarayanan et al. 2011):

    y_r = x_r . u + c_r + e_r,   e_r ~ N(0, 1 / (gamma w_r)),   u ~ N(mu, Lambda^-1),   gamma ~ Gamma(s / 2, s / 2)
    A = Lambda + gamma sum_r w_r E[x x'],   u = A^-1 (Lambda mu + gamma sum_r w_r (y_r E[x] - E[x c]))
    gamma = (s + n) / (s + sum_r w_r E[(y_r - x_r . u - c_r)^2])

x_r = (1, movie factors), c_r the movie's bias, w_r the movie's weight, n the number of ratings. gamma is 1 at first and
the two are iterated a few times. Without ratings the vector is mu.
"""

# No `from __future__ import annotations`: TorchScript reads the attributes' annotations as they are.
import torch
from torch import Tensor, nn

from model.moments import moments, triangle

EQUAL_NOISE = 1e5  # from this shape on gamma stays 1 to within what a rating can tell
_STEPS = 4


class FoldIn(nn.Module):
    """One factor block's user encoder.

    Args:
        mean: (M + 1, K) posterior means of the movies' (bias, factors), the unknown movie last.
        covariance: (M + 1, T) their covariances, lower triangles.
        weight: (M + 1,) precision of a rating's noise by movie, above 0.
        prior_mean, prior_precision: (K,) and (K, K), of a user.
        noise_shape: s; `EQUAL_NOISE` or more keeps gamma at 1.
    """

    x: Tensor
    products: Tensor
    bias: Tensor
    bias_square: Tensor
    weight: Tensor
    full: Tensor
    precision: Tensor
    pull: Tensor
    shape: Tensor

    def __init__(
        self,
        mean: Tensor,
        covariance: Tensor,
        weight: Tensor,
        prior_mean: Tensor,
        prior_precision: Tensor,
        noise_shape: float,
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
        self.register_buffer("full", triangle(self.size, mean.device)[2])
        self.register_buffer("precision", prior_precision.clone())
        self.register_buffer("pull", prior_precision @ prior_mean)
        self.register_buffer("shape", torch.tensor(noise_shape))

    def forward(self, owner: Tensor, movie_index: Tensor, target: Tensor, num_users: int) -> Tensor:
        """Vectors (num_users, K) of users known by R targets (R,) for movies (R,), each its owner's (R,)."""
        size = self.size
        entries = self.products.shape[1] - size
        weight = self.weight[movie_index]
        weighted = self.products[movie_index] * weight.unsqueeze(1)
        sums = target.new_zeros(num_users, entries + size).index_add_(0, owner, weighted)
        gram = sums[:, :entries][:, self.full].view(num_users, size, size)
        lifted = self.x[movie_index] * (weight * target).unsqueeze(1)
        pulled = target.new_zeros(num_users, size).index_add_(0, owner, lifted) - sums[:, entries:]
        square = weight * (target * (target - 2 * self.bias[movie_index]) + self.bias_square[movie_index])
        total = target.new_zeros(num_users).index_add_(0, owner, square)
        count = target.new_zeros(num_users).index_add_(0, owner, torch.ones_like(target))
        return self._solve(gram, pulled, total, count)

    def _solve(self, gram: Tensor, pulled: Tensor, total: Tensor, count: Tensor) -> Tensor:
        """The regression's sums by user, (N, K, K), (N, K), (N,) and (N,) -> vectors (N, K)."""
        gamma = torch.ones_like(count)
        for _ in range(self.steps - 1):
            scale = gamma.unsqueeze(1)
            factor = torch.linalg.cholesky(self.precision + gram * scale.unsqueeze(2))
            covariance = torch.cholesky_inverse(factor)
            vector = torch.bmm(covariance, (self.pull + pulled * scale).unsqueeze(2)).squeeze(2)
            moment = covariance + vector.unsqueeze(2) * vector.unsqueeze(1)
            error = total - 2 * (vector * pulled).sum(1) + (moment * gram).sum((1, 2))
            gamma = (self.shape + count) / (self.shape + error.clamp_min(0.0))
        scale = gamma.unsqueeze(1)
        factor = torch.linalg.cholesky(self.precision + gram * scale.unsqueeze(2))
        return torch.cholesky_solve((self.pull + pulled * scale).unsqueeze(2), factor).squeeze(2)
