"""One peer's fit and predictions, in the peers' own environment: `python bench/peers_accuracy.py PEER IN.npz OUT.npz`.

IN holds user, movie (N,) int64 rows, rating (N,) float32, test_user, test_movie (B,) int64, num_users, num_movies,
scale (2,); OUT gets predicted (B,), cpu_s and wall_s of the fit, and the library's version. Imports nothing of this
project: the interpreter that runs it has other libraries.
"""

import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import numpy as np

Arrays = Any
SEED, RANK, ITERATIONS = 0, 8, 200


def surprise_peer(make: Callable[[Any], Any]) -> Callable[[Arrays], Callable[[], Any]]:
    """A fit of the algorithm that `make` takes from the module of Surprise's prediction algorithms."""

    def fit(data: Arrays) -> Callable[[], Any]:
        import surprise

        low, high = (float(bound) for bound in data["scale"])
        folds = [(user, movie, rating, None) for user, movie, rating in zip(*_columns(data, ""), strict=True)]
        dataset = surprise.Dataset(surprise.Reader(rating_scale=(low, high)))
        trainset = dataset.construct_trainset(folds)
        algorithm = make(surprise)

        def run() -> Any:
            algorithm.fit(trainset)
            return lambda: np.array(
                [algorithm.predict(user, movie).est for user, movie in zip(*_columns(data, "test_"), strict=True)]
            )

        return run

    return fit


def myfm_peer(ordered: bool) -> Callable[[Arrays], Callable[[], Any]]:
    """A Bayesian factorisation machine over user and movie; ordered probit predicts the mean of its distribution."""

    def fit(data: Arrays) -> Callable[[], Any]:
        import myfm

        groups = [int(data["num_users"]), int(data["num_movies"])]
        rows, tested = (_one_hot(data[f"{part}user"], data[f"{part}movie"], groups) for part in ("", "test_"))
        values, level = np.unique(data["rating"], return_inverse=True)
        options = {"n_iter": ITERATIONS, "n_kept_samples": ITERATIONS - 5, "group_shapes": groups}

        def run() -> Any:
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
PEERS: dict[str, tuple[str, Callable[[Arrays], Callable[[], Any]]]] = {
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


def main(peer: str, source: str, target: str) -> None:
    """Fits, predicts, and writes; what is timed is the fit alone, the data already in the library's form."""
    with np.load(source, allow_pickle=False) as arrays:
        data = {name: arrays[name] for name in arrays.files}
    library, prepare = PEERS[peer]
    run = prepare(data)
    wall, cpu = time.perf_counter(), time.process_time()
    predict = run()
    wall_s, cpu_s = time.perf_counter() - wall, time.process_time() - cpu
    predicted = np.clip(predict(), *data["scale"]).astype(np.float32)
    np.savez(target, predicted=predicted, version=np.array(version(library)), wall_s=wall_s, cpu_s=cpu_s)


def _columns(data: Arrays, part: str) -> list[Any]:
    names = ("user", "movie") if part else ("user", "movie", "rating")
    return [data[f"{part}{name}"].tolist() for name in names]


def _one_hot(user: Any, movie: Any, groups: list[int]) -> Any:
    from scipy.sparse import csr_matrix

    columns = np.stack([user, movie + groups[0]], axis=1).ravel()
    starts = np.arange(0, len(columns) + 1, 2)
    return csr_matrix((np.ones(len(columns)), columns, starts), shape=(len(user), sum(groups)))


if __name__ == "__main__":
    main(*sys.argv[1:])
