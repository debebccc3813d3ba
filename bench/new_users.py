"""`python -m bench.new_users DATA...`: the error for users absent from training, by the number of ratings they send.

It compares folding in with the movies' means, with shrunken biases whose user bias comes from the same ratings, and
with a full retraining that includes these ratings. Every option of the training has its default.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch

from bench.machine import describe_machine
from bench.markdown import table
from bench.options import make_parser, positive
from bench.publish import publish
from bench.trained import predict_rows, train_default
from model.factor_network import FactorNetwork
from model.scale import RatingScale
from train.dataset.data import USER_ID, RatingsData, index_ids
from train.dataset.tensors import Ratings, TrainingSet, look_up_ratings
from train.evaluation.baselines import USER_SHRINKAGE, BiasModel, fit_baselines
from train.readers import load_ratings

GIVEN = (0, 1, 3, 10)
_FEWEST, _SHARE = 11, 0.1
# For each number of given ratings and each predictor: squared errors (T,) of the same T ratings.
_Errors = dict[int, dict[str, np.ndarray]]


class Hidden(NamedTuple):
    """The `num_users` users hidden from training, and their R ratings of movies that have ratings in training.

    frame: the rows of the ratings, user by user, in random order within each user.
    ratings: the same as rows of the tables, with the users numbered from 0.
    position: (R,) how many ratings of the same user come before this one.
    """

    frame: pd.DataFrame
    ratings: Ratings
    position: np.ndarray
    num_users: int


def squared_errors(data: RatingsData, draw: int) -> _Errors:
    """The errors for one draw of hidden users."""
    scale = RatingScale(*data.rating_scale)
    shown, secret = hide_users(data.ratings, draw)
    network, trained = train_default(data, shown)
    assert isinstance(network, FactorNetwork)
    hidden = rank_hidden(secret, trained, draw)
    test = hidden.position >= max(GIVEN)
    truth = hidden.ratings.rating.numpy()[test]
    baselines = _baselines(trained)
    errors: _Errors = {}
    for given in GIVEN:
        back = hidden.position < given
        predicted = {
            "movie mean": _with_user_bias(baselines["movie_mean"], hidden, back & False)[test],
            "shrunken biases": _with_user_bias(baselines["shrunken_bias"], hidden, back)[test],
            "folded in": _folded_in(network, hidden, back, scale)[test],
        }
        again = train_default(data, pd.concat([shown, hidden.frame[back]])) if given else (network, trained)
        predicted["trained anew"] = predict_rows(*again, hidden.frame[test], scale)
        errors[given] = {
            name: np.square(values.clip(scale.minimum, scale.maximum) - truth) for name, values in predicted.items()
        }
    return errors


def _baselines(trained: TrainingSet) -> dict[str, BiasModel]:
    ratings = trained.ratings
    return fit_baselines(
        ratings.user_index.numpy(),
        ratings.movie_index.numpy(),
        ratings.rating.numpy().astype(np.float64),
        len(trained.user_ids),
        len(trained.movie_ids),
    )


def hide_users(frame: pd.DataFrame, draw: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows to train on, and those of a tenth of the users with at least 11 ratings."""
    user = index_ids(frame[USER_ID])[1]
    rich = np.flatnonzero(np.bincount(user) >= _FEWEST)
    chosen = np.random.RandomState(draw).permutation(rich)[: max(1, round(_SHARE * len(rich)))]
    secret = np.isin(user, chosen)
    return frame[~secret], frame[secret]


def rank_hidden(secret: pd.DataFrame, trained: TrainingSet, draw: int) -> Hidden:
    """The hidden users' ratings of movies that have a rating in training, in random order."""
    shuffled = secret.sample(frac=1, random_state=draw)
    rated = torch.bincount(trained.ratings.movie_index, minlength=len(trained.movie_ids) + 1).numpy() > 0
    shuffled = shuffled[rated[look_up_ratings(shuffled, trained.user_ids, trained.movie_ids).movie_index.numpy()]]
    ids, user = index_ids(shuffled[USER_ID])
    order = np.argsort(user, kind="stable")
    frame = shuffled.iloc[order]
    user = user[order]
    ratings = look_up_ratings(frame, trained.user_ids, trained.movie_ids)
    position = np.arange(len(user)) - np.searchsorted(user, user)
    return Hidden(frame, Ratings(torch.from_numpy(user), ratings.movie_index, ratings.rating), position, len(ids))


def _folded_in(network: FactorNetwork, hidden: Hidden, back: np.ndarray, scale: RatingScale) -> np.ndarray:
    """Predicted ratings (R,), after folding in the ratings where the mask `back` (R,) is true."""
    known = hidden.ratings.take(torch.from_numpy(back))
    with torch.inference_mode():
        rows = network.encode_users(known.user_index, known.movie_index, known.rating, hidden.num_users)
        unit = network.head(rows[hidden.ratings.user_index], network.movie_tower(hidden.ratings.movie_index))
    return scale.to_rating(unit.numpy().astype(np.float64))


def _with_user_bias(model: BiasModel, hidden: Hidden, back: np.ndarray) -> np.ndarray:
    """Ratings (R,) of the bias model. A user's bias comes from the ratings where `back` is true, else it is 0."""
    user = hidden.ratings.user_index.numpy()
    movie = hidden.ratings.movie_index.numpy()
    without = model.mean + model.movie_bias[movie]
    rest = hidden.ratings.rating.numpy() - without
    total = np.bincount(user[back], rest[back], hidden.num_users)
    bias = total / (np.bincount(user[back], minlength=hidden.num_users) + USER_SHRINKAGE)
    predicted: np.ndarray = without + bias[user]
    return predicted


def report(name: str, errors: _Errors) -> str:
    """A table of RMSE by number of given ratings, and of what folding in loses against retraining."""
    predictors = list(errors[GIVEN[0]])
    number = len(errors[GIVEN[0]][predictors[0]])
    rows = []
    for given, squared in errors.items():
        rmse = [f"{values.mean() ** 0.5:.3f}" for values in squared.values()]
        gap = squared["folded in"] - squared["trained anew"]
        loss = f"{gap.mean():+.3f} ± {gap.std() / number**0.5:.3f}" if given else "the same"
        rows.append([f"{given} given", *rmse, loss])
    header = [f"{name}, RMSE of {number:,} ratings", *predictors, "MSE, folded in − trained anew"]
    return table(header, 1, rows)


def _over_draws(data: RatingsData, draws: int) -> _Errors:
    found = [squared_errors(data, draw) for draw in range(draws)]
    return {
        given: {name: np.concatenate([one[given][name] for one in found]) for name in found[0][given]}
        for given in GIVEN
    }


def main() -> None:
    """Measures every data set, and publishes the section `new_users`."""
    parser = make_parser("bench.new_users", __doc__)
    parser.add_argument("data", type=Path, nargs="+", help="folders or files of ratings")
    parser.add_argument("--draws", type=positive, default=3, help="how often a tenth of the users is drawn")
    options = parser.parse_args()
    machine = describe_machine()
    tables = []
    figures = {}
    for path in options.data:
        name = path.resolve().name
        errors = _over_draws(load_ratings(path), options.draws)
        tables.append(report(name, errors))
        figures[name] = {
            given: {predictor: float(values.mean()) for predictor, values in squared.items()}
            for given, squared in errors.items()
        }
    publish("new_users", {**machine, "mse": figures}, "\n\n".join(tables), options)


if __name__ == "__main__":
    main()
