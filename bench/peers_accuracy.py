"""One peer's fit and predictions, in the peers' own environment: `python bench/peers_accuracy.py PEER IN.npz OUT.npz`.

IN holds user, movie (N,) int64 rows, rating (N,) float32, test_user, test_movie (B,) int64, num_users, num_movies and
scale (2,). A tested row of num_users or num_movies is that of an unknown one. OUT gets predicted (B,), the fit's cpu_s
and wall_s, and the library's version. This file imports nothing of this project, because the interpreter that runs it
has other libraries.
"""

import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import numpy as np

Arrays = Any
# A peer's fit: takes the arrays, prepares the data, and returns what fits and then returns what predicts.
Peer = Callable[[Arrays], Callable[[], Callable[[], Any]]]
SEED = 0
RANK = 8
ITERATIONS = 200


def surprise_peer(make: Callable[[Any], Any]) -> Peer:
    """A fit of the algorithm that `make` takes from the module of Surprise."""

    def fit(data: Arrays) -> Callable[[], Callable[[], Any]]:
        import surprise

        low, high = (float(bound) for bound in data["scale"])
        folds = [(user, movie, rating, None) for user, movie, rating in zip(*_columns(data, ""), strict=True)]
        dataset = surprise.Dataset(surprise.Reader(rating_scale=(low, high)))
        trainset = dataset.construct_trainset(folds)
        algorithm = make(surprise)

        def run() -> Callable[[], Any]:
            algorithm.fit(trainset)
            return lambda: np.array(
                [algorithm.predict(user, movie).est for user, movie in zip(*_columns(data, "test_"), strict=True)]
            )

        return run

    return fit


def myfm_peer(ordered: bool) -> Peer:
    """A Bayesian factorisation machine over user and movie; the ordered probit predicts its distribution's mean."""

    def fit(data: Arrays) -> Callable[[], Callable[[], Any]]:
        import myfm

        groups = [int(data["num_users"]), int(data["num_movies"])]
        rows = _one_hot(data["user"], data["movie"], groups)
        tested = _one_hot(data["test_user"], data["test_movie"], groups)
        values, level = np.unique(data["rating"], return_inverse=True)
        options = {"n_iter": ITERATIONS, "n_kept_samples": ITERATIONS - 5, "group_shapes": groups}

        def run() -> Callable[[], Any]:
            if ordered:
                probit = myfm.MyFMOrderedProbit(RANK, random_seed=SEED)
                probit.fit(rows, level, **options)
                return lambda: probit.predict_proba(tested) @ values
            regressor = myfm.MyFMRegressor(RANK, random_seed=SEED)
            regressor.fit(rows, data["rating"].astype(np.float64), **options)
            return lambda: regressor.predict(tested)

        return run

    return fit


_TUNED_BIAS = {"method": "als", "n_epochs": 10, "reg_u": 2.5, "reg_i": 5}
# The package whose version is recorded, and the fit.
PEERS: dict[str, tuple[str, Peer]] = {
    "surprise-baseline": (
        "scikit-surprise",
        surprise_peer(lambda module: module.BaselineOnly(bsl_options=_TUNED_BIAS, verbose=False)),
    ),
    "surprise-svd": ("scikit-surprise", surprise_peer(lambda module: module.SVD(random_state=SEED))),
    "surprise-svd-tuned": (
        "scikit-surprise",
        surprise_peer(lambda module: module.SVD(n_factors=50, reg_all=0.08, random_state=SEED)),
    ),
    "surprise-svdpp": ("scikit-surprise", surprise_peer(lambda module: module.SVDpp(random_state=SEED))),
    "myfm-regression": ("myfm", myfm_peer(ordered=False)),
    "myfm-probit": ("myfm", myfm_peer(ordered=True)),
}


def main() -> None:
    """Fits, predicts and writes. Only the fit is timed; the data already has the library's form."""
    peer, source, target = sys.argv[1:]
    with np.load(source, allow_pickle=False) as arrays:
        data = {name: arrays[name] for name in arrays.files}
    library, prepare = PEERS[peer]
    run = prepare(data)
    wall = time.perf_counter()
    cpu = time.process_time()
    predict = run()
    wall_s = time.perf_counter() - wall
    cpu_s = time.process_time() - cpu
    predicted = np.clip(predict(), *data["scale"]).astype(np.float32)
    np.savez(target, predicted=predicted, version=np.array(version(library)), wall_s=wall_s, cpu_s=cpu_s)


def _columns(data: Arrays, part: str) -> list[Any]:
    names = ("user", "movie") if part else ("user", "movie", "rating")
    return [data[f"{part}{name}"].tolist() for name in names]


def _one_hot(user: Any, movie: Any, groups: list[int]) -> Any:
    """Rows with a one for the user and one for the movie; none for the unknown, whose row is past the last."""
    from scipy.sparse import csr_matrix

    is_known = np.stack([user < groups[0], movie < groups[1]], axis=1)
    columns = np.stack([user, movie + groups[0]], axis=1)[is_known]
    starts = np.concatenate([[0], is_known.sum(axis=1).cumsum()])
    return csr_matrix((np.ones(len(columns)), columns, starts), shape=(len(user), sum(groups)))


if __name__ == "__main__":
    main()
