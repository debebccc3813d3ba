"""One factor block, fitted by mean-field variational Bayes in the closed-form sweeps of train/factors/sweep.py.

    y_ij = b_i + c_j + u_i . v_j + e_ij,    e_ij ~ N(0, 1 / (alpha gamma_i delta_j))
    (b_i, u_i) ~ N(mu, Lambda_user^-1),     (c_j, v_j) ~ N(B' z_j, Lambda_movie^-1)
    gamma_i ~ Gamma(s_user / 2, s_user / 2),  delta_j ~ Gamma(s_movie / 2, s_movie / 2)

z_j = (1, log n_j, what the catalogue tells of the movie), n_j its number of ratings. Lambda, mu, B and alpha by
empirical Bayes, so there is nothing to tune but the number of factors, the noise shapes and the number of sweeps.

Sources: Lim & Teh 2007 (variational Bayes for ratings); Salakhutdinov & Mnih 2008 (Bayesian matrix factorisation);
Lakshminarayanan, Bouchard & Archambeau 2011 (noise by user and by movie); Adams, Dahl & Murray 2010, Simm et al.
2015 (side information in the prior mean).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from train.factors.posterior import Side


@dataclass
class Block:
    """A fitted factor model in units of its target. noise_shapes: (s_user, s_movie)."""

    user: Side
    movie: Side
    alpha: float
    noise_shapes: tuple[float, float]

    def to(self, device: torch.device) -> Block:
        """The same on another device."""
        return Block(self.user.to(device), self.movie.to(device), self.alpha, self.noise_shapes)


def with_unknown(side: Side) -> Tensor:
    """Means (N + 1, K), the last row that of an entity of which nothing is known: the prior mean at features 0."""
    return torch.cat([side.mean, side.link[:1]])


def bilinear(user: Tensor, movie: Tensor) -> Tensor:
    """b + c + u . v of rows (B, K) and (B, K), (B,)."""
    return user[:, 0] + movie[:, 0] + (user[:, 1:] * movie[:, 1:]).sum(1)
