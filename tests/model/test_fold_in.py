"""The user encoder against the regression it claims to be, rating by rating in float64."""

import numpy as np
import pytest
import torch

from model.fold_in import FoldIn

MOVIE = torch.tensor([3, 10, 4, 3, 0, 7])
TARGET = torch.tensor([0.3, -1.0, 2.0, 1.1, 0.4, -0.2])


def brute_force(fold_in: FoldIn, movie: torch.Tensor, target: torch.Tensor) -> np.ndarray:
    size = fold_in.size
    prior, prior_term = fold_in.precision.double().numpy(), fold_in.precision_times_mean.double().numpy()
    shape, gamma = float(fold_in.noise_shape), 1.0
    mean = np.zeros(size)
    for _ in range(fold_in.steps):
        matrix, right = prior.copy(), prior_term.copy()
        for j, y in zip(movie.tolist(), target.tolist(), strict=True):
            weight = gamma * float(fold_in.weight[j])
            x_x, x_bias = x_moments(fold_in, j)
            matrix += weight * x_x
            right += weight * (y * fold_in.x[j].double().numpy() - x_bias)
        covariance = np.linalg.inv(matrix)
        mean = covariance @ right
        second = covariance + np.outer(mean, mean)
        error = 0.0
        for j, y in zip(movie.tolist(), target.tolist(), strict=True):
            x_x, x_bias = x_moments(fold_in, j)
            x, bias = fold_in.x[j].double().numpy(), float(fold_in.bias[j])
            square = y * y - 2 * y * (mean @ x + bias) + (second * x_x).sum() + 2 * mean @ x_bias
            error += float(fold_in.weight[j]) * (square + float(fold_in.bias_square[j]))
        if shape < 1e5:
            gamma = (shape + len(target)) / (shape + error)
    return mean


def x_moments(fold_in: FoldIn, j: int) -> tuple[np.ndarray, np.ndarray]:
    size = fold_in.size
    entries = fold_in.products.shape[1] - size
    products = fold_in.products[j].double().numpy()
    return products[:entries][fold_in.square_index.numpy()].reshape(size, size), products[entries:]


@pytest.mark.parametrize("given", [0, 1, 3, 6])
def test_the_vector_is_the_posterior_mean(fold_in: FoldIn, given: int) -> None:
    movie, target = MOVIE[:given], TARGET[:given]
    found = fold_in(torch.zeros_like(movie), movie, target, 1)[0]
    np.testing.assert_allclose(found, brute_force(fold_in, movie, target), atol=2e-4, rtol=1e-3)


def test_without_ratings_the_vector_is_the_prior_mean(fold_in: FoldIn) -> None:
    found = fold_in(MOVIE[:0], MOVIE[:0], TARGET[:0], 2)
    expected = torch.linalg.solve(fold_in.precision, fold_in.precision_times_mean).expand(2, -1)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


def test_a_higher_rating_gives_a_higher_prediction_of_the_same_movie(fold_in: FoldIn) -> None:
    owner = torch.arange(2)
    vectors = fold_in(owner, torch.tensor([4, 4]), torch.tensor([-1.0, 1.0]), 2)
    low, high = (vectors @ fold_in.x[4]).tolist()
    assert high > low


def test_the_posterior_has_the_vector_as_its_mean(fold_in: FoldIn) -> None:
    owner = torch.tensor([0, 0, 2, 2, 2, 0])
    mean, covariance, gamma = fold_in.posterior(owner, MOVIE, TARGET, 3)
    torch.testing.assert_close(mean, fold_in(owner, MOVIE, TARGET, 3))
    full = covariance[:, fold_in.square_index].view(3, fold_in.size, fold_in.size)
    prior = torch.linalg.inv(fold_in.precision)
    torch.testing.assert_close(full[1], prior, atol=1e-5, rtol=1e-4)  # nobody rated anything there
    assert bool((full.diagonal(dim1=1, dim2=2)[[0, 2]] < prior.diagonal()).all())
    assert gamma[1] == 1


def test_set_movies_stores_the_given_posteriors(fold_in: FoldIn) -> None:
    mean, covariance = fold_in.movie_posterior(torch.arange(len(fold_in.x)))
    tables = {name: table.clone() for name, table in fold_in.state_dict().items()}
    fold_in.set_movies(torch.arange(len(mean)), mean, covariance)
    for name, table in fold_in.state_dict().items():
        torch.testing.assert_close(table, tables[name], atol=1e-5, rtol=1e-5)
    fold_in.set_movies(torch.tensor([2]), mean[5:6], covariance[5:6])
    torch.testing.assert_close(fold_in.products[2], fold_in.products[5], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(fold_in.x[3], tables["x"][3], atol=1e-5, rtol=1e-5)
