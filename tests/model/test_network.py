import pytest
import torch

from model.network import EmbeddingMLP


@pytest.fixture
def network() -> EmbeddingMLP:
    torch.manual_seed(1)
    network = EmbeddingMLP(20, 10, embedding_dim=4, hidden_dims=(8, 4)).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.randn_like(parameter))
    return network


PAIRS = torch.cartesian_prod(torch.arange(21), torch.arange(11)).T


def test_unit_scores_are_in_0_to_1_and_differ(network: EmbeddingMLP) -> None:
    unit = network(*PAIRS)
    assert unit.shape == (231,)
    assert bool(((unit > 0) & (unit < 1)).all())
    assert len(unit.unique()) > 200


def test_split_first_layer_equals_the_layer_over_the_concatenation(network: EmbeddingMLP) -> None:
    users, movies = PAIRS
    both = torch.cat([network.user_embedding(users), network.movie_embedding(movies)], dim=1)
    weight = torch.cat([network.user_linear.weight, network.movie_linear.weight], dim=1)
    expected = torch.sigmoid(network.mlp(both @ weight.T + network.movie_linear.bias)).squeeze(1)
    torch.testing.assert_close(network(users, movies), expected, atol=1e-6, rtol=0)


def test_the_scripted_network_equals_the_eager_one(network: EmbeddingMLP) -> None:
    with pytest.warns(DeprecationWarning, match=r"torch\.jit"):
        scripted = torch.jit.script(network)
    torch.testing.assert_close(scripted(*PAIRS), network(*PAIRS), atol=1e-6, rtol=0)


def test_towers_and_head_equal_forward(network: EmbeddingMLP) -> None:
    users, movies = PAIRS
    apart = network.head(network.user_tower(users), network.movie_tower(movies))
    torch.testing.assert_close(apart, network(users, movies))


def test_the_head_broadcasts_one_user_against_all_movies(network: EmbeddingMLP) -> None:
    movies = torch.arange(11)
    wide = network.head(network.user_tower(torch.tensor([3])), network.movie_tower(movies))
    torch.testing.assert_close(wide, network(torch.full((11,), 3), movies))


def test_embedding_dropout_applies_only_in_training() -> None:
    network = EmbeddingMLP(1, 1, embedding_dim=1000, hidden_dims=(4,), dropout=0.0, embedding_dropout=0.5)
    user = torch.zeros(1, dtype=torch.int64)
    network.train()
    assert not torch.equal(network.user_tower(user), network.user_tower(user))
    network.eval()
    assert torch.equal(network.user_tower(user), network.user_tower(user))
