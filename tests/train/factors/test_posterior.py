"""The closed-form update against the same regression, solved for each user by numpy in float64."""

import numpy as np
import pytest
import torch
from torch import Tensor

from model.moments import moments, triangle
from train.factors.posterior import _CHUNK, Side, sort_by_side, tables_of, update_side

USERS, MOVIES, SIZE, ALPHA = 7, 5, 3, 1.7
ROW, COLUMN, FULL = triangle(SIZE)


def random_side(num: int, seed: int) -> Side:
    generator = torch.Generator().manual_seed(seed)
    mean = torch.randn(num, SIZE, generator=generator)
    root = torch.randn(num + 1, SIZE, SIZE, generator=generator) * 0.4
    positive = root @ root.mT
    precision = positive[-1] + torch.eye(SIZE)
    features = torch.cat([torch.ones(num, 1), torch.randn(num, 1, generator=generator)], 1)
    link = torch.randn(2, SIZE, generator=generator)
    noise = 0.5 + torch.rand(num, generator=generator)
    return Side(mean, positive[:num, ROW, COLUMN], precision, features, link, noise)


def ratings() -> tuple[Tensor, Tensor, Tensor]:
    """User 3 rated nothing, user 6, the last, neither; user 0 rated movie 2 twice."""
    user = torch.tensor([5, 0, 0, 1, 2, 2, 4, 0, 5, 5, 1])
    movie = torch.tensor([0, 2, 2, 1, 3, 4, 0, 1, 1, 2, 4])
    return user, movie, torch.randn(len(user), generator=torch.Generator().manual_seed(3))


def test_the_update_is_the_bayesian_regression_of_each_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(_CHUNK, "cpu", 2)
    own, other = random_side(USERS, 0), random_side(MOVIES, 1)
    user, movie, target = ratings()
    rows = sort_by_side(user, movie, USERS)
    mean, covariance, error = update_side(rows, target[rows.order], ALPHA, tables_of(other), own)
    for n in range(USERS):
        expected = brute_force(own, other, n, movie[user == n], target[user == n])
        np.testing.assert_allclose(mean[n], expected[0], atol=1e-4)
        np.testing.assert_allclose(covariance[n, FULL].view(SIZE, SIZE), expected[1], atol=1e-4)
        np.testing.assert_allclose(error[n], expected[2], atol=1e-3)


def brute_force(own: Side, other: Side, n: int, movie: Tensor, target: Tensor) -> tuple[np.ndarray, np.ndarray, float]:
    """One user's posterior, rating by rating; expectations by the movies' second moments."""
    prior = own.precision.double().numpy()
    prior_mean = (own.features @ own.link)[n].double().numpy()
    matrix, right = prior.copy(), prior @ prior_mean
    parts = []
    for j, y in zip(movie.tolist(), target.tolist(), strict=True):
        spread = other.covariance[j, FULL].view(SIZE, SIZE).double().numpy()
        vector = other.mean[j].double().numpy()
        x = np.concatenate([[1.0], vector[1:]])
        x_x = np.outer(x, x)
        x_x[1:, 1:] += spread[1:, 1:]
        x_bias = x * vector[0]
        x_bias[1:] += spread[0, 1:]
        weight = ALPHA * float(own.noise_precision[n]) * float(other.noise_precision[j])
        matrix += weight * x_x
        right += weight * (y * x - x_bias)
        parts.append((weight, y, x, x_x, x_bias, vector[0], vector[0] ** 2 + spread[0, 0]))
    covariance = np.linalg.inv(matrix)
    mean = covariance @ right
    second = covariance + np.outer(mean, mean)
    error = sum(
        w * (y * y - 2 * y * (mean @ x + bias) + (second * x_x).sum() + 2 * mean @ x_bias + square)
        for w, y, x, x_x, x_bias, bias, square in parts
    )
    return mean, covariance, error


def test_moments_are_those_of_a_sample() -> None:
    side = random_side(1, 5)
    spread = side.covariance[0, FULL].view(SIZE, SIZE)
    sample = np.random.default_rng(0).multivariate_normal(side.mean[0].numpy(), spread.numpy(), 400_000)
    x = np.concatenate([np.ones((len(sample), 1)), sample[:, 1:]], axis=1)
    found = moments(side.mean, side.covariance)
    np.testing.assert_allclose(found[1][0, FULL].view(SIZE, SIZE), x.T @ x / len(x), atol=0.02)
    np.testing.assert_allclose(found[2][0], x.T @ sample[:, 0] / len(x), atol=0.02)
    np.testing.assert_allclose(found[3][0], np.square(sample[:, 0]).mean(), atol=0.02)
