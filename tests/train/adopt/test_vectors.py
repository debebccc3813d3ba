"""An adopted network's own movie vectors: by the name of a tensor, or by a method; wrong ones are told."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from model.artifact import load_artifact
from model.asks import SimilarAsk
from model.predictor import Predictor
from tests.train.adopt.conftest import MOVIES, Own, script
from tests.train.adopt.test_adopt import Towers
from train.adopt.__main__ import run
from train.adopt.adopt import adopt
from train.adopt.config import AdoptConfig
from train.errors import DataError

Configure = Callable[..., AdoptConfig]
VECTORS = torch.tensor([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0], [-1.0, 0.0], [0.5, 0.5]])


class WithTable(Own):
    """Its vectors have rows for two movies that nobody has an id of."""

    def __init__(self) -> None:
        super().__init__()
        self.movie_embedding = nn.Embedding.from_pretrained(torch.cat([VECTORS, torch.ones(2, 2)]))


class WithMethod(Own):
    own: Tensor

    def __init__(self, vectors: Tensor = VECTORS) -> None:
        super().__init__()
        self.register_buffer("own", vectors)

    @torch.jit.export
    def movie_vectors(self, movie: Tensor) -> Tensor:
        return self.own[movie]


def neighbours(predictor: Predictor, movie: int) -> dict[int, float]:
    [answer] = predictor.answer([SimilarAsk(movie, len(MOVIES))])
    return dict(zip(answer.movie_ids, answer.cosines.tolist(), strict=True))  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("network", "options"), [(WithTable(), {"movie_vectors": "movie_embedding.weight"}), (WithMethod(), {})]
)
def test_movies_are_compared_by_the_vectors_that_a_network_declares(
    config: Configure, tmp_path: Path, network: Own, options: dict[str, str]
) -> None:
    script(network, tmp_path / "net.pt")
    told = run(config(**options))
    assert "a score of two indices, movie vectors of 2 numbers" in told
    predictor = Predictor(load_artifact(tmp_path / "out" / "ncf.pt"))
    unit = torch.nn.functional.normalize(VECTORS, dim=1).numpy()
    for place, movie in enumerate(MOVIES):
        expected = {other: cosine for other, cosine in zip(MOVIES, unit @ unit[place], strict=True) if other != movie}
        found = neighbours(predictor, movie)
        assert found == pytest.approx(expected, abs=1e-6)
        assert list(found) == sorted(found, key=lambda one: -found[one])


class TowersWithTable(Towers):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("own", VECTORS)


def test_declared_vectors_count_more_than_those_of_the_tower(config: Configure, tmp_path: Path) -> None:
    script(TowersWithTable(), tmp_path / "net.pt")
    found = []
    for name, options in (("tower", {}), ("declared", {"movie_vectors": "own"})):
        run(config(out=tmp_path / name, **options))
        found.append(neighbours(Predictor(load_artifact(tmp_path / name / "ncf.pt")), MOVIES[0]))
    assert min(found[0].values()) > 0, "the towers' numbers are positive"
    assert min(found[1].values()) == pytest.approx(-1)


def test_a_network_without_vectors_compares_no_movies(config: Configure, tmp_path: Path) -> None:
    run(config())
    predictor = Predictor(load_artifact(tmp_path / "out" / "ncf.pt"))
    assert predictor.model.similarity is None
    with pytest.raises(NotImplementedError, match="has no vectors"):
        predictor.answer([SimilarAsk(MOVIES[0], 3)])


def one_nan() -> Tensor:
    vectors = VECTORS.clone()
    vectors[2, 1] = torch.nan
    return vectors


@pytest.mark.parametrize(
    ("network", "table", "told"),
    [
        (
            WithTable(),
            "item.weight",
            r"VECTORS: net\.pt: no tensor item\.weight; allowed .*movie_embedding\.weight \(7, 2\)",
        ),
        (WithMethod(torch.ones(9)), "own", r"VECTORS: net\.pt: own has shape \(9,\); allowed is a table of numbers"),
        (WithMethod(torch.ones(2, 3)), "own", r"own has shape \(2, 3\), but the movies need 5 rows or more"),
        (WithMethod(torch.ones(2, 3)), None, r"net\.pt: movie_vectors fails on rows up to 4: .*out of bounds"),
        (WithMethod(torch.ones(9)), None, r"movie_vectors gives \(5,\) for 5 rows, allowed are .* shape \(5, width\)"),
        (WithMethod(one_nan()), None, rf"movie_vectors: the vector on row 2, of movie {MOVIES[2]}, holds a number"),
        (WithMethod(one_nan()), "own", rf"net\.pt: own: the vector on row 2, of movie {MOVIES[2]}, holds a number"),
    ],
)
def test_vectors_that_cannot_be_used_are_told(
    config: Configure, tmp_path: Path, network: Own, table: str | None, told: str
) -> None:
    script(network, tmp_path / "net.pt")
    with pytest.raises(DataError, match=told) as caught:
        adopt(config(movie_vectors=table))
    assert "\n" not in str(caught.value)
