"""A network of 32 factors, from its fit to everything that a version does."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from model.artifact import Artifact, load_artifact, save_artifact
from model.asks import BestAnswer, BestAsk, ExplainAnswer, ExplainAsk, PairAnswer, PairAsk
from model.compiled_head import find_compiled_head
from model.factor_network import FactorNetwork
from model.history import History
from model.predictor import Predictor
from model.scale import RatingScale
from train.compile_head import compile_head
from train.config import TrainConfig
from train.dataset.data import RatingsData
from train.dataset.tensors import TrainingSet
from train.factors.config import FactorsConfig
from train.factors.method import fit_factors
from train.fit_log import FitLog
from train.method import Choice
from train.output import build_catalogue
from train.update.__main__ import update

SCALE = RatingScale(1, 10)
USER, COMEDY = 7, 1_002


@pytest.fixture(scope="module")
def network(taste_set: TrainingSet) -> FactorNetwork:
    torch.set_num_threads(1)
    config = TrainConfig(factors=FactorsConfig(factors=32, score_sweeps=4, epochs=4, batch_size=256))
    choice = Choice({"noise": [16.0, 1e6], "sweeps": 6, "factors": 32}, FitLog())
    fitted = fit_factors(taste_set, SCALE, config, choice, "test").network
    assert isinstance(fitted, FactorNetwork)
    return fitted


@pytest.fixture(scope="module")
def artifact(
    network: FactorNetwork,
    taste_set: TrainingSet,
    tastes: tuple[pd.DataFrame, pd.DataFrame],
    tmp_path_factory: pytest.TempPathFactory,
) -> Artifact:
    """The network as a server loads it."""
    ratings = taste_set.ratings
    columns = (ratings.user_index.numpy(), ratings.movie_index.numpy(), ratings.rating.numpy())
    history = History.from_ratings(*columns, len(taste_set.user_ids))
    catalogue = build_catalogue(tastes[1], taste_set.movie_ids)
    path = tmp_path_factory.mktemp("artifact") / "ncf.pt"
    maps = taste_set.user_ids, taste_set.movie_ids
    save_artifact(Artifact(network, *maps, SCALE, history, catalogue, {"version": "1.0"}), path)
    return load_artifact(path)


def rating_of(artifact: Artifact, user: int, movie: int) -> float:
    [answer] = Predictor(artifact).answer([PairAsk(user, movie)])
    assert isinstance(answer, PairAnswer)
    return answer.rating


def test_a_loaded_artifact_rates_as_the_network(artifact: Artifact, network: FactorNetwork) -> None:
    rows = artifact.user_ids.rows([USER]), artifact.movie_ids.rows([COMEDY])
    unit = network(*(torch.from_numpy(np.asarray(one, dtype=np.int64)) for one in rows))
    assert rating_of(artifact, USER, COMEDY) == pytest.approx(float(SCALE.to_rating(unit)), abs=1e-5)


def test_the_parts_of_an_explanation_add_up(artifact: Artifact) -> None:
    [explained] = Predictor(artifact).answer([ExplainAsk(USER, COMEDY)])
    assert isinstance(explained, ExplainAnswer)
    parts = explained.mean + explained.user + explained.movie + explained.interaction
    assert parts == pytest.approx(rating_of(artifact, USER, COMEDY), abs=1e-5)


def test_the_best_movies_are_those_with_the_highest_ratings(artifact: Artifact) -> None:
    [best] = Predictor(artifact).answer([BestAsk(USER, top_k=5, rank_by="rating")])
    assert isinstance(best, BestAnswer)
    ratings = {int(movie): rating_of(artifact, USER, int(movie)) for movie in artifact.movie_ids.ids}
    assert [ratings[int(movie)] for movie in best.movie_ids] == sorted(ratings.values(), reverse=True)[:5]


def test_an_update_takes_in_a_new_user(artifact: Artifact) -> None:
    rows = [(3, movie, 10.0) for movie in range(1_000, 1_012, 2)]
    frame = pd.DataFrame(rows, columns=["user_id", "movie_id", "rating"])
    data = RatingsData(frame, None, Path("new.csv"), "5" * 64, 0, (1.0, 10.0), "row {}".format)
    updated = update(artifact, data, "1.1").artifact
    assert rating_of(updated, 3, 1_020) > rating_of(artifact, 3, 1_020) + 1
    others = artifact.user_ids.ids[-1:]
    assert rating_of(updated, int(others[0]), 1_020) == pytest.approx(rating_of(artifact, int(others[0]), 1_020), abs=1)


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
def test_the_compiled_head_rates_as_the_network(network: FactorNetwork, tmp_path: Path) -> None:
    head = find_compiled_head(network, compile_head(tmp_path))
    assert head is not None
    users, movies = np.arange(40), np.arange(40) % 60
    expected = network(torch.from_numpy(users), torch.from_numpy(movies)).detach().numpy()
    assert head.units(users, movies, ()) == pytest.approx(expected, abs=1e-5)
