"""The default network's contract: towers, head, encoders, TorchScript, the artifact."""

import warnings
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import pytest
import torch

from model.artifact import Artifact, load_artifact, save_artifact
from model.catalogue import Catalogue
from model.factor_network import FactorNetwork
from model.history import History
from model.ids import IdMap
from model.network import EncodingNetwork
from model.scale import RatingScale

PAIRS = torch.cartesian_prod(torch.arange(21), torch.arange(11)).T
OWNER = torch.tensor([2, 0, 2, 2, 0])  # user 1 of three rated nothing
MOVIE = torch.tensor([3, 10, 4, 3, 0])  # 10 is the unknown movie, 3 is rated twice
RATING = torch.tensor([1.0, 10.0, 2.0, 2.5, 7.0])


def test_unit_scores_are_in_0_to_1_and_differ(factor_network: FactorNetwork) -> None:
    unit = factor_network(*PAIRS)
    assert unit.shape == (231,)
    assert unit.dtype == torch.float32
    assert bool(((unit >= 0) & (unit <= 1)).all())
    assert len(unit.unique()) > 200


def test_towers_and_head_equal_forward(factor_network: FactorNetwork) -> None:
    users, movies = PAIRS
    apart = factor_network.head(factor_network.user_tower(users), factor_network.movie_tower(movies))
    torch.testing.assert_close(apart, factor_network(users, movies))


def test_level_probabilities_have_the_ordinal_networks_expectation(factor_network: FactorNetwork) -> None:
    user, movie = factor_network.user_tower(PAIRS[0]), factor_network.movie_tower(PAIRS[1])
    probability = factor_network.level_probabilities(user, movie)
    torch.testing.assert_close(probability.sum(-1), torch.ones(231))
    expected = factor_network.ordinal(*factor_network.ordinal_inputs(user, movie))
    torch.testing.assert_close(probability @ factor_network.ordinal.unit, expected)


def test_the_head_broadcasts_users_against_movies(factor_network: FactorNetwork) -> None:
    users, movies = factor_network.user_tower(torch.arange(21)), factor_network.movie_tower(torch.arange(11))
    expected = factor_network(*PAIRS).view(21, 11)
    torch.testing.assert_close(factor_network.head(users[3:4], movies), expected[3])
    torch.testing.assert_close(factor_network.head(users.unsqueeze(1), movies), expected)


def test_encoding_users_together_equals_encoding_them_singly(factor_network: FactorNetwork) -> None:
    rows = factor_network.encode_users(OWNER, MOVIE, RATING, 3)
    assert rows.shape == factor_network.user_embedding.weight[:3].shape
    for user in range(3):
        own = user == OWNER
        torch.testing.assert_close(rows[user], factor_network.encode_user(MOVIE[own], RATING[own]))


def test_the_order_of_ratings_does_not_matter(factor_network: FactorNetwork) -> None:
    first = factor_network.encode_user(MOVIE, RATING)
    torch.testing.assert_close(first, factor_network.encode_user(MOVIE.flip(0), RATING.flip(0)), atol=1e-5, rtol=1e-5)


@pytest.mark.filterwarnings("ignore:.*torch.jit.*")
def test_the_scripted_network_equals_the_eager_one(factor_network: FactorNetwork) -> None:
    scripted = cast(FactorNetwork, torch.jit.script(factor_network))
    torch.testing.assert_close(scripted(*PAIRS), factor_network(*PAIRS))
    torch.testing.assert_close(
        scripted.encode_users(OWNER, MOVIE, RATING, 3), factor_network.encode_users(OWNER, MOVIE, RATING, 3)
    )
    for given in (0, 1, 5):
        history = MOVIE[:given], RATING[:given]
        torch.testing.assert_close(scripted.encode_user(*history), factor_network.encode_user(*history))


def make_artifact(network: FactorNetwork) -> Artifact:
    history = History.from_ratings(np.array([3]), np.array([0]), np.array([8.0]), num_users=20)
    ids = IdMap(np.arange(20) * 3), IdMap(np.arange(10) * 7)
    return Artifact(network, *ids, RatingScale(1, 10), history, Catalogue({}, 10))


def test_an_artifact_carries_the_encoder(factor_network: FactorNetwork, tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        save_artifact(make_artifact(factor_network), tmp_path / "ncf.pt")
        loaded = load_artifact(tmp_path / "ncf.pt")
    network = cast(EncodingNetwork, loaded.network)
    torch.testing.assert_close(network.encode_user(MOVIE, RATING), factor_network.encode_user(MOVIE, RATING))


def test_digest_covers_everything_that_affects_answers(factor_network: FactorNetwork, tmp_path: Path) -> None:
    digests = {save_artifact(make_artifact(factor_network), tmp_path / "a.pt")}
    for name, tensor in factor_network.state_dict().items():
        if tensor.is_floating_point():
            kept = tensor.clone()
            tensor.mul_(1.25).add_(0.1)
            digests.add(save_artifact(replace(make_artifact(factor_network)), tmp_path / "b.pt"))
            tensor.copy_(kept)
            assert torch.equal(factor_network.state_dict()[name], kept)
    assert len(digests) == 1 + sum(t.is_floating_point() for t in factor_network.state_dict().values())
    for constant in ("mean", "std", "minimum", "span"):  # numbers that TorchScript would keep outside the digest
        assert not hasattr(factor_network, constant)


@pytest.mark.parametrize("device", ["meta"])
def test_no_tensor_is_made_on_another_device(factor_network: FactorNetwork, device: str) -> None:
    """PyTorch refuses to mix meta and CPU tensors, so this finds tensors on a wrong device without a GPU."""
    network = factor_network.to(device)
    assert network(*PAIRS.to(device)).device.type == device
    assert network.encode_users(OWNER.to(device), MOVIE.to(device), RATING.to(device), 3).device.type == device
