"""An adopted network answers as it did where it came from, under its raw ids, with all that ratings make possible."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from model.artifact import load_artifact
from model.asks import BestAsk, ColumnsAsk, ExplainAsk, PairAsk
from model.predictor import Predictor
from model.vocabulary import Vocabulary
from tests.train.adopt.conftest import MOVIES, USERS, Own, script
from train.adopt.__main__ import main, run
from train.adopt.adopt import adopt
from train.adopt.config import AdoptConfig
from train.errors import DataError
from train.evaluation.report import ReportConfig, write_report

Configure = Callable[..., AdoptConfig]


class Towers(nn.Module):
    """Rating = 3 + user . movie."""

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(1)
        self.users = nn.Parameter(torch.rand(len(USERS), 3, generator=generator))
        self.movies = nn.Parameter(torch.rand(len(MOVIES), 3, generator=generator))

    @torch.jit.export
    def user_tower(self, user: Tensor) -> Tensor:
        return self.users[user]

    @torch.jit.export
    def movie_tower(self, movie: Tensor) -> Tensor:
        return self.movies[movie]

    @torch.jit.export
    def head(self, user: Tensor, movie: Tensor) -> Tensor:
        return 3 + (user * movie).sum(-1)

    def forward(self, user: Tensor, movie: Tensor) -> Tensor:
        return self.head(self.user_tower(user), self.movie_tower(movie))


def served(config: AdoptConfig) -> Predictor:
    run(config)
    return Predictor(load_artifact(config.out / "ncf.pt"))


def all_ratings(predictor: Predictor) -> np.ndarray:
    """(num_users, num_movies) in the order of USERS and MOVIES."""
    [answer] = predictor.answer([ColumnsAsk(np.repeat(USERS, len(MOVIES)), np.tile(MOVIES, len(USERS)))])
    assert not isinstance(answer, BaseException)
    ratings: np.ndarray = answer.ratings  # type: ignore[attr-defined]
    return ratings.reshape(len(USERS), len(MOVIES))


def rating(predictor: Predictor, user: int, movie: int) -> float:
    [answer] = predictor.answer([PairAsk(user, movie)])
    return answer.rating  # type: ignore[attr-defined,no-any-return]


def test_every_pair_keeps_its_rating(config: Configure, truth: np.ndarray) -> None:
    assert all_ratings(served(config())) == pytest.approx(truth, abs=1e-5)


def test_an_unknown_id_counts_as_the_average_one(config: Configure, truth: np.ndarray) -> None:
    predictor = served(config())
    assert rating(predictor, -1, MOVIES[2]) == pytest.approx(truth[:, 2].mean(), abs=1e-5)
    assert rating(predictor, USERS[1], -1) == pytest.approx(truth[1].mean(), abs=1e-5)
    assert rating(predictor, -1, -1) == pytest.approx(truth.mean(), abs=1e-5)


def test_a_row_for_the_unknown_speaks_for_it(config: Configure, tmp_path: Path, truth: np.ndarray) -> None:
    (tmp_path / "users.json").write_text(str([None, *USERS[1:]]).replace("None", "null"))
    predictor = served(config(users="users.json", unknown_user_row=0))
    assert rating(predictor, -1, MOVIES[3]) == pytest.approx(truth[0, 3], abs=1e-5)
    assert rating(predictor, USERS[0], MOVIES[3]) == pytest.approx(truth[0, 3], abs=1e-5), "its row is nobody's"


def test_a_table_with_more_rows_than_ids_is_doubted(config: Configure, tmp_path: Path) -> None:
    script(Own(len(USERS) + 1, len(MOVIES)), tmp_path / "net.pt")
    told = adopt(config()).reading.warnings
    assert told == [
        "users.csv: its 4 ids have the rows 0 to 3, but the network has a row 4 too: if ids have other rows, add a "
        "column `row`; if one row is for unknown ids, give --unknown-user-row"
    ]
    assert adopt(config(unknown_user_row=4)).reading.warnings == []
    (tmp_path / "rows.csv").write_text("user_id,row\n" + "".join(f"{one},{row}\n" for row, one in enumerate(USERS, 1)))
    assert adopt(config(users="rows.csv")).reading.warnings == []


@pytest.mark.parametrize(
    ("output", "scale", "expected"),
    [
        ("unit", (1.0, 5.0), lambda score: 1 + 4 * score),
        ("probability", None, lambda score: score),
        ("logit", (1.0, 5.0), lambda score: 1 + 4 / (1 + np.exp(-score))),
        ("logit", None, lambda score: 1 / (1 + np.exp(-score))),
    ],
)
def test_a_declared_output_is_put_on_the_scale(
    config: Configure,
    tmp_path: Path,
    truth: np.ndarray,
    output: str,
    scale: tuple[float, float] | None,
    expected: Callable[[np.ndarray], np.ndarray],
) -> None:
    network = Own()
    with torch.no_grad():
        network.table.copy_((network.table - 1) / 4)
    script(network, tmp_path / "net.pt")
    predictor = served(config(output=output, rating_scale=scale))
    assert all_ratings(predictor) == pytest.approx(expected((truth - 1) / 4), abs=1e-5)


@pytest.mark.parametrize("implicit", [False, True])
def test_ratings_so_far_make_seen_movies_and_the_blend(config: Configure, tmp_path: Path, implicit: bool) -> None:
    rows = [f"{USERS[user]},{MOVIES[movie]},{1 + (user + movie) % 5}" for user in range(4) for movie in range(user + 1)]
    (tmp_path / "ratings.csv").write_text("\n".join(["user_id,movie_id,rating", *rows, "999,3,4"]) + "\n")
    options = {"output": "logit", "rating_scale": None} if implicit else {}
    predictor = served(config(ratings="ratings.csv", **options))
    ask = BestAsk(USERS[1], top_k=5, exclude_seen=True, rank_by="blend")
    [best] = predictor.answer([ask])
    assert set(best.movie_ids) == set(MOVIES[2:])  # type: ignore[attr-defined]
    assert predictor.model.ranking is not None
    assert set(predictor.model.history.ratings.tolist()) == ({1.0} if implicit else {1.0, 2.0, 3.0, 4.0, 5.0})


def test_the_movies_file_may_hold_the_catalogue(config: Configure, tmp_path: Path) -> None:
    lines = [f"{movie},Movie {movie},Drama|Crime" for movie in MOVIES]
    (tmp_path / "movies.csv").write_text("\n".join(["movie_id,title,genres", *lines]) + "\n")
    predictor = served(config())
    [best] = predictor.answer([BestAsk(USERS[0], top_k=1)])
    shown = predictor.catalogue.shown(int(best.movie_index[0]))  # type: ignore[attr-defined]
    assert shown == {"title": f"Movie {best.movie_ids[0]}", "genres": ["Drama", "Crime"]}  # type: ignore[attr-defined]


def test_two_towers_are_served_as_vectors(config: Configure, tmp_path: Path) -> None:
    network = Towers()
    script(network, tmp_path / "net.pt")
    rows = [f"{user},{movie},{3 + place % 3}" for place, user in enumerate(USERS) for movie in MOVIES[:3]]
    (tmp_path / "ratings.csv").write_text("\n".join(["user_id,movie_id,rating", *rows]) + "\n")
    predictor = served(config(ratings="ratings.csv"))
    expected = (3 + network.users @ network.movies.T).clamp(1, 5).detach().numpy()
    assert all_ratings(predictor) == pytest.approx(expected, abs=1e-5)
    unknown = (3 + network.users.mean(0) @ network.movies[0]).detach()
    assert rating(predictor, -1, MOVIES[0]) == pytest.approx(float(unknown), abs=1e-5)
    [told] = predictor.answer([ExplainAsk(USERS[0], MOVIES[4])])
    assert len(told.because) == 3  # type: ignore[attr-defined]


def test_the_command_adopts_and_never_replaces(config: Configure, capsys: pytest.CaptureFixture[str]) -> None:
    options = config()
    words = ["--model", options.model, "--users", options.users, "--movies", options.movies, "--out", options.out]
    given = [*map(str, words), "--rating-scale", "1", "5"]
    assert main(given) == 0
    assert "network: a score of two indices; rating 1." in capsys.readouterr().out
    card = (options.out / "MODEL_CARD.md").read_text()
    assert "The network was trained elsewhere: `net.pt`" in card
    assert main(given) == 2
    assert "already exists, and a version is never replaced" in capsys.readouterr().err


def test_an_adopted_version_speaks_the_words_that_it_was_given(config: Configure) -> None:
    shop = config(item="product", tags="categories")
    told = run(shop)
    artifact = load_artifact(shop.out / "ncf.pt")
    assert artifact.words == Vocabulary("product", "categories")
    assert artifact.metadata["num_products"] == len(MOVIES)
    assert artifact.metadata["example"].keys() == {"user_id", "product_ids"}
    assert f"{len(MOVIES)} products of" in told
    assert "a user would give a product" in (shop.out / "MODEL_CARD.md").read_text()


def test_a_report_on_an_adopted_version_says_what_to_do_instead(config: Configure) -> None:
    adopted = config()
    run(adopted)
    way = r"trained elsewhere, so no ratings are held out .*: `make report VERSION=... WITH=...` shows"
    with pytest.raises(DataError, match=way):
        write_report(ReportConfig(folder=adopted.out))
