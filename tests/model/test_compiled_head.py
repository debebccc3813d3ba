"""The compiled head gives the same ratings as TorchScript, which replaces it if it cannot run."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from model import compiled_head
from model.compiled_head import LIBRARY, SOURCE, find_compiled_head, library_beside
from model.factor_network import FactorNetwork
from model.network import EmbeddingMLP
from train.compile_head import compile_head

pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")

USERS, MOVIES = (rows.numpy() for rows in torch.cartesian_prod(torch.arange(21), torch.arange(11)).T)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = compile_head(tmp_path_factory.mktemp("head"))
    assert made is not None
    return made


@pytest.mark.parametrize("number", [0, 1, 2, 15, 16, 17, 231])
@pytest.mark.parametrize("rating_weight", [0.0, 0.3, 1.0])
def test_compiled_head_equals_the_network(
    factor_network: FactorNetwork, library: Path, number: int, rating_weight: float
) -> None:
    factor_network.rating_weight.fill_(rating_weight)
    head = find_compiled_head(factor_network, library)
    assert head is not None
    users, movies = USERS[-number:][:number], MOVIES[-number:][:number].astype(np.int32)
    expected = factor_network(torch.from_numpy(users), torch.from_numpy(movies).long())
    assert head.units(users, movies, ()) == pytest.approx(expected.detach().numpy(), abs=1e-6)


def test_scripted_network_and_extreme_rows_give_the_same(factor_network: FactorNetwork, library: Path) -> None:
    with torch.no_grad():
        factor_network.movie_embedding.weight[3] *= 1_000
        factor_network.user_embedding.weight[5] *= -1_000
    head = find_compiled_head(torch.jit.script(factor_network), library)
    assert head is not None
    expected = factor_network(torch.from_numpy(USERS), torch.from_numpy(MOVIES)).detach().numpy()
    assert head.units(USERS, MOVIES, ()) == pytest.approx(expected, abs=1e-5)


def test_fold_in_users_have_the_rows_after_the_last(factor_network: FactorNetwork, library: Path) -> None:
    head = find_compiled_head(factor_network, library)
    assert head is not None
    vectors = factor_network.user_embedding.weight.detach()[[4, 7]] + 0.25
    movies = torch.arange(11)
    for place, vector in enumerate(vectors):
        found = head.units(np.full(11, 21 + place), movies.numpy(), list(vectors))
        expected = factor_network.head(vector, factor_network.movie_tower(movies))
        assert found == pytest.approx(expected.detach().numpy(), abs=1e-6)


@pytest.mark.parametrize("copied_bytes", [0, 2**20])
def test_whole_catalogue_of_one_user_equals_the_network(
    factor_network: FactorNetwork, library: Path, copied_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiled_head, "_MOST_COPIED_BYTES", copied_bytes)
    rows = factor_network.movie_embedding.weight.detach().repeat(8, 1) * torch.linspace(-1, 2, 88).unsqueeze(1)
    factor_network.movie_embedding = torch.nn.Embedding.from_pretrained(rows)
    head = find_compiled_head(factor_network, library)
    assert head is not None
    movies = np.delete(np.arange(88), [3, 40])
    for user in (0, 20):
        users = np.full(len(movies), user)
        expected = factor_network(torch.from_numpy(users), torch.from_numpy(movies)).detach().numpy()
        assert head.units(users, movies, ()) == pytest.approx(expected, abs=1e-6)
        folded = head.units(users + 21 - user, movies, [factor_network.user_embedding.weight.detach()[user]])
        assert folded == pytest.approx(expected, abs=1e-6)


def test_all_pairs_of_users_and_movies_equal_the_network(factor_network: FactorNetwork, library: Path) -> None:
    head = find_compiled_head(factor_network, library)
    assert head is not None
    users, movies = np.array([3, 20, 0, 21], dtype=np.int32), np.array([9, 0, 4, 10])
    vector = factor_network.user_embedding.weight[6] + 0.25
    rows = torch.cat([factor_network.user_tower(torch.tensor([3, 20, 0])), vector.unsqueeze(0)])
    expected = factor_network.head(rows.unsqueeze(1), factor_network.movie_tower(torch.from_numpy(movies)).unsqueeze(0))
    assert head.units_of_all(users, movies, [vector]) == pytest.approx(expected.detach().numpy(), abs=1e-6)


@pytest.mark.parametrize(("user", "movie"), [(-1, 0), (21, 0), (0, -1), (0, 11), (2**40, 0)])
def test_row_outside_its_table_raises(factor_network: FactorNetwork, library: Path, user: int, movie: int) -> None:
    head = find_compiled_head(factor_network, library)
    assert head is not None
    with pytest.raises(IndexError, match="pair 2"):
        head.units(np.array([0, 1, user]), np.array([0, 1, movie]), ())


def test_other_networks_and_missing_libraries_use_torchscript(factor_network: FactorNetwork, library: Path) -> None:
    assert find_compiled_head(EmbeddingMLP(3, 3), library) is None
    assert find_compiled_head(factor_network, None) is None


def test_library_beside_an_artifact_is_used_only_with_our_source(library: Path, tmp_path: Path) -> None:
    artifact, folder = tmp_path / "ncf.pt", tmp_path / "model"
    folder.mkdir()
    shutil.copy(library, folder)
    assert library_beside(artifact) is None
    shutil.copy(SOURCE, folder)
    assert library_beside(artifact) == folder / LIBRARY
    (folder / SOURCE.name).write_bytes(SOURCE.read_bytes() + b"\n")
    assert library_beside(artifact) is None


def test_network_of_an_earlier_release_uses_torchscript(
    factor_network: FactorNetwork, library: Path, caplog: pytest.LogCaptureFixture
) -> None:
    del factor_network.rating_weight
    assert find_compiled_head(factor_network, library) is None
    assert "ratings are computed by TorchScript" in caplog.text


def test_library_of_another_machine_is_not_used(
    factor_network: FactorNetwork, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "foreign.so").write_bytes(b"\x7fELF of another machine")
    assert find_compiled_head(factor_network, tmp_path / "foreign.so") is None
    assert "ratings are computed by TorchScript" in caplog.text


def test_library_with_different_ratings_is_not_used(
    factor_network: FactorNetwork, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source = tmp_path / SOURCE.name
    source.write_text(SOURCE.read_text().replace("head->offset + ", "head->offset + 0.01f + "))
    made = compile_head(tmp_path, source)
    assert made is not None
    assert find_compiled_head(factor_network, made) is None
    assert "the compiled head differs by" in caplog.text


def test_source_that_does_not_compile_makes_no_library(tmp_path: Path) -> None:
    (tmp_path / SOURCE.name).write_text("int")
    assert compile_head(tmp_path, tmp_path / SOURCE.name) is None
    assert not (tmp_path / LIBRARY).exists()
