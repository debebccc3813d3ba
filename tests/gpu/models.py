"""Two untrained models with random tables, of either architecture, with histories and an interest part."""

from __future__ import annotations

import numpy as np
import torch

from bench.growth import make_network
from model.artifact import Artifact
from model.catalogue import Catalogue
from model.history import History
from model.ids import IdMap
from model.interest import Interest
from model.neighbours import list_pairs
from model.network import EmbeddingMLP, RatingNetwork
from model.scale import RatingScale

USERS, MOVIES, WEIGHTED = 300, 2_000, 500
_RATINGS_OF_A_USER = 30


def factors() -> Artifact:
    """The default network: it takes new ratings in."""
    network = make_network(USERS, MOVIES)
    with torch.no_grad():
        for parameter in network.ordinal.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.3)
        network.movie_embedding.weight.normal_(0, 0.4)
        network.user_embedding.weight.normal_(0, 0.4)
    return _artifact(network)


def mlp() -> Artifact:
    """The reference network: it has no encoder, so explanations follow gradients."""
    torch.manual_seed(1)
    network = EmbeddingMLP(USERS, MOVIES)
    with torch.no_grad():
        network.user_embedding.weight.normal_(0, 0.7)
        network.movie_embedding.weight.normal_(0, 0.7)
    return _artifact(network.eval())


def _artifact(network: RatingNetwork) -> Artifact:
    random = np.random.default_rng(0)
    rated = np.concatenate([random.choice(MOVIES, _RATINGS_OF_A_USER, replace=False) for _ in range(USERS)])
    raters = np.repeat(np.arange(USERS), _RATINGS_OF_A_USER)
    history = History.from_ratings(raters, rated, random.integers(1, 11, len(rated)).astype(np.float32), USERS)
    popularity = np.bincount(rated, minlength=MOVIES + 1) / USERS
    catalogue = Catalogue({"title": [f"Movie {row}" for row in range(MOVIES)]}, MOVIES)
    user_ids, movie_ids = (IdMap(np.cumsum(random.integers(1, 40, number))) for number in (USERS, MOVIES))
    interest = _interest(random, torch.from_numpy(popularity).float())
    return Artifact(network, user_ids, movie_ids, RatingScale(1, 10), history, catalogue, {}, interest)


def _interest(random: np.random.Generator, popularity: torch.Tensor) -> Interest:
    """A table for the first movies, and a few neighbours for the others."""
    weights = torch.from_numpy(random.normal(0, 0.1, (WEIGHTED + 1, WEIGHTED + 1))).float()
    weights[-1] = weights[:, -1] = 0.0
    source = np.repeat(np.arange(WEIGHTED, MOVIES), 5)
    target = random.integers(0, MOVIES, len(source))
    pairs = np.unique(source * MOVIES + target)
    neighbours = list_pairs(pairs // MOVIES, pairs % MOVIES, random.normal(0, 0.1, len(pairs)), MOVIES)
    column = torch.arange(MOVIES + 1).clamp(max=WEIGHTED)
    return Interest(column, weights, popularity, 0.2, 0.5, 0.3, 0.03, 5.5, neighbours)
