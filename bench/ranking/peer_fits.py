"""One library's rankings, in its own environment: `python bench/ranking/peer_fits.py PEER IN.npz OUT.npz [LIMIT_S]`.

IN contains the ratings' user and movie rows (N,) int64, num_users, num_movies, the users to rank for, and the settings
as JSON. OUT gets the first unrated movies of each user (U, LENGTH), the CPU seconds of the fit, and the version of the
library. A process that has used LIMIT_S CPU seconds is ended. This file imports nothing of this project, because its
interpreter has other libraries.
"""

import itertools
import json
import resource
import sys
import time
from collections.abc import Callable, Iterable
from importlib.metadata import version
from typing import Any, NamedTuple

import numpy as np

LENGTH = 20
Arrays = Any
Settings = dict[str, Any]
# A function that fits, and returns a ranking function without arguments, which returns (U, LENGTH) movie rows or -1.
Fit = Callable[[Arrays, Settings], Callable[[], np.ndarray]]


class Peer(NamedTuple):
    """A library's model or models.

    environment: its folder in .venv-peers. package: the package whose version is reported. grid: the settings that are
    compared on the inner rows; a setting with a `random_state` is fitted once for each seed.
    """

    title: str
    environment: str
    package: str
    fit: Fit
    grid: list[Settings]


def _product(**choices: Iterable[Any]) -> list[Settings]:
    return [dict(zip(choices, values, strict=True)) for values in itertools.product(*choices.values())]


def fit_implicit(data: Arrays, settings: Settings) -> Callable[[], np.ndarray]:
    """A factor model of implicit, fitted to which movies were rated; `alpha` is the weight of a rated movie."""
    from implicit.als import AlternatingLeastSquares
    from implicit.bpr import BayesianPersonalizedRanking

    models = {"als": AlternatingLeastSquares, "bpr": BayesianPersonalizedRanking}
    options = {name: value for name, value in settings.items() if name != "model"}
    model = models[settings["model"]](**options, num_threads=1)
    rated = _rated(data)
    model.fit(rated, show_progress=False)
    users = data["rank"]
    return lambda: model.recommend(users, rated[users], N=LENGTH, filter_already_liked_items=True)[0]


def fit_rectools(data: Arrays, settings: Settings) -> Callable[[], np.ndarray]:
    """A model of RecTools, fitted to which movies were rated."""
    import pandas as pd
    from implicit.nearest_neighbours import BM25Recommender, CosineRecommender, TFIDFRecommender
    from rectools import Columns
    from rectools.dataset import Dataset
    from rectools.models import ImplicitItemKNNWrapperModel, PureSVDModel

    neighbours = {"cosine": CosineRecommender, "tf-idf": TFIDFRecommender, "bm25": BM25Recommender}
    options = {name: value for name, value in settings.items() if name != "model"}
    if settings["model"] == "pure-svd":
        model = PureSVDModel(**options, recommend_n_threads=1)
    else:
        model = ImplicitItemKNNWrapperModel(neighbours[settings["model"]](**options, num_threads=1))
    rated = _rated(data).tocoo()
    frame = pd.DataFrame({Columns.User: rated.row, Columns.Item: rated.col, Columns.Weight: 1.0})
    frame[Columns.Datetime] = pd.Timestamp(2000, 1, 1)
    dataset = Dataset.construct(frame)
    model.fit(dataset)

    def rank() -> np.ndarray:
        found = model.recommend(data["rank"], dataset, k=LENGTH, filter_viewed=True)
        place = np.searchsorted(data["rank"], found[Columns.User].to_numpy())
        return _lists(data, place, found[Columns.Rank].to_numpy() - 1, found[Columns.Item].to_numpy())

    return rank


def fit_lenskit(data: Arrays, settings: Settings) -> Callable[[], np.ndarray]:
    """A model of LensKit in its own pipeline for recommendations."""
    import pandas as pd
    from lenskit.als import ImplicitMFScorer
    from lenskit.batch import recommend
    from lenskit.data import from_interactions_df
    from lenskit.knn import ItemKNNScorer, UserKNNScorer
    from lenskit.pipeline import topn_pipeline
    from lenskit.training import TrainingOptions

    models = {"als": ImplicitMFScorer, "item-knn": ItemKNNScorer, "user-knn": UserKNNScorer}
    options = {name: value for name, value in settings.items() if name not in {"model", "random_state"}}
    rated = _rated(data).tocoo()
    dataset = from_interactions_df(pd.DataFrame({"user_id": rated.row, "item_id": rated.col}))
    pipeline = topn_pipeline(models[settings["model"]](**options), n=LENGTH)
    pipeline.train(dataset, TrainingOptions(rng=settings.get("random_state", 0)))

    def rank() -> np.ndarray:
        found = recommend(pipeline, data["rank"], LENGTH, n_jobs=1).to_df()
        place = np.searchsorted(data["rank"], found["user_id"].to_numpy())
        return _lists(data, place, found["rank"].to_numpy() - 1, found["item_id"].to_numpy())

    return rank


# Each peer has the same number of settings. EASE^R is measured once, by bench/ranking/ease.py, for all who offer it.
PEERS = {
    "implicit-als": Peer(
        "iALS, implicit",
        "implicit",
        "implicit",
        fit_implicit,
        _product(model=["als"], factors=[64], alpha=[5.0, 20.0], regularization=[10.0, 100.0], random_state=[0]),
    ),
    "implicit-bpr": Peer(
        "BPR, implicit",
        "implicit",
        "implicit",
        fit_implicit,
        _product(
            model=["bpr"],
            factors=[32, 64],
            learning_rate=[0.01],
            regularization=[0.001, 0.01],
            iterations=[100],
            random_state=[0],
        ),
    ),
    "rectools": Peer(
        "best of RecTools",
        "rectools",
        "rectools",
        fit_rectools,
        [
            {"model": "tf-idf", "K": 500},
            {"model": "bm25", "K": 100},
            {"model": "cosine", "K": 100},
            {"model": "pure-svd", "factors": 32, "random_state": 0},
        ],
    ),
    "lenskit": Peer(
        "best of LensKit",
        "lenskit",
        "lenskit",
        fit_lenskit,
        [
            {"model": "item-knn", "max_nbrs": 100, "feedback": "implicit"},
            {"model": "user-knn", "max_nbrs": 200, "feedback": "implicit"},
            {"model": "als", "embedding_size": 32, "regularization": 1.0, "weight": 10.0, "random_state": 0},
            {"model": "als", "embedding_size": 32, "regularization": 1.0, "weight": 40.0, "random_state": 0},
        ],
    ),
}


def main() -> None:
    """Fits and writes the rankings. Only the fit is timed."""
    name, source, target, *limit_s = sys.argv[1:]
    if limit_s:
        resource.setrlimit(resource.RLIMIT_CPU, (int(limit_s[0]), int(limit_s[0])))
    with np.load(source, allow_pickle=False) as arrays:
        data = {key: arrays[key] for key in arrays.files}
    peer = PEERS[name]
    started = time.process_time()
    rank = peer.fit(data, json.loads(str(data["settings"])))
    seconds = time.process_time() - started
    np.savez(target, lists=rank().astype(np.int32), seconds=seconds, version=np.array(version(peer.package)))


def _rated(data: Arrays) -> Any:
    """A sparse matrix (num_users, num_movies) with a 1 where the user rated the movie."""
    from scipy.sparse import csr_matrix

    shape = (int(data["num_users"]), int(data["num_movies"]))
    pairs = np.unique(data["user"] * shape[1] + data["movie"])
    ones = np.ones(len(pairs), dtype=np.float32)
    return csr_matrix((ones, (pairs // shape[1], pairs % shape[1])), shape)


def _lists(data: Arrays, place: np.ndarray, rank: np.ndarray, movie: np.ndarray) -> np.ndarray:
    lists = np.full((len(data["rank"]), LENGTH), -1)
    lists[place, rank] = movie
    return lists


if __name__ == "__main__":
    main()
