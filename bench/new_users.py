"""`python -m bench.new_users FOLDER …`: the error for users whom the training never saw, by how many ratings they gave.

Beside the movies' means, the shrunken biases with the user's bias from the same ratings, and a full retraining with
these ratings in it. Everything but the draw of the hidden users has its default.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch

from bench.machine import describe_machine, write_results
from bench.trained import predict_rows, train_default
from model.factor_network import FactorNetwork
from model.scale import RatingScale
from train.dataset.data import USER_ID, RatingsData, index_ids
from train.dataset.tensors import Ratings, TrainingSet, look_up_ratings
from train.evaluation.baselines import USER_SHRINKAGE, BiasModel, fit_baselines
from train.readers import load_ratings

GIVEN = (0, 1, 3, 10)
_FEWEST, _SHARE = 11, 0.1
_Errors = dict[int, dict[str, np.ndarray]]


class Hidden(NamedTuple):
    """Users hidden from the training, U of them, and their ratings (R,) of movies that it rated.

    frame: the ratings' rows, user by user, in random order within each; ratings: the same as rows of the tables, with
    the users numbered from 0; position (R,): how many ratings of the user come before.
    """

    frame: pd.DataFrame
    ratings: Ratings
    position: np.ndarray
    num_users: int


def squared_errors(data: RatingsData, draw: int) -> _Errors:
    """By number of ratings given back and by predictor: squared errors (T,) of the same T ratings."""
    scale = RatingScale(*data.rating_scale)
    shown, secret = hide_users(data.ratings, draw)
    network, trained = train_default(data, shown)
    assert isinstance(network, FactorNetwork)
    hidden = rank_hidden(secret, trained, draw)
    test = hidden.position >= max(GIVEN)
    truth = hidden.ratings.rating.numpy()[test]
    rated = trained.ratings
    columns = (rated.user_index.numpy(), rated.movie_index.numpy(), rated.rating.numpy().astype(np.float64))
    baselines = fit_baselines(*columns, len(trained.user_ids), len(trained.movie_ids))
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
    frame, user = shuffled.iloc[order], user[order]
    ratings = look_up_ratings(frame, trained.user_ids, trained.movie_ids)
    position = np.arange(len(user)) - np.searchsorted(user, user)
    return Hidden(frame, Ratings(torch.from_numpy(user), ratings.movie_index, ratings.rating), position, len(ids))


def _folded_in(network: FactorNetwork, hidden: Hidden, back: np.ndarray, scale: RatingScale) -> np.ndarray:
    """Ratings (R,) once the ratings under the mask `back` (R,) are given."""
    known = hidden.ratings.take(torch.from_numpy(back))
    with torch.inference_mode():
        rows = network.encode_users(known.user_index, known.movie_index, known.rating, hidden.num_users)
        unit = network.head(rows[hidden.ratings.user_index], network.movie_tower(hidden.ratings.movie_index))
    return scale.to_rating(unit.numpy().astype(np.float64))


def _with_user_bias(model: BiasModel, hidden: Hidden, back: np.ndarray) -> np.ndarray:
    """Ratings (R,) of the bias model, each user's bias from the ratings under `back`; 0 without any."""
    user, movie = hidden.ratings.user_index.numpy(), hidden.ratings.movie_index.numpy()
    without = model.mean + model.movie_bias[movie]
    rest = hidden.ratings.rating.numpy() - without
    total = np.bincount(user[back], rest[back], hidden.num_users)
    bias = total / (np.bincount(user[back], minlength=hidden.num_users) + USER_SHRINKAGE)
    predicted: np.ndarray = without + bias[user]
    return predicted


def table(name: str, errors: _Errors) -> list[str]:
    """Lines of a Markdown table: RMSE by number of ratings given, and what folding in gives up to retraining."""
    predictors = list(errors[GIVEN[0]])
    rows = len(errors[GIVEN[0]][predictors[0]])
    lines = [f"| {name}, RMSE of {rows:,} ratings | {' | '.join(predictors)} | MSE, folded in − trained anew |"]
    lines.append("|---|" + "--:|" * (len(predictors) + 1))
    for given, squared in errors.items():
        cells = [f"{values.mean() ** 0.5:.3f}" for values in squared.values()]
        gap = squared["folded in"] - squared["trained anew"]
        cells.append(f"{gap.mean():+.3f} ± {gap.std() / rows**0.5:.3f}" if given else "the same")
        lines.append(f"| {given} given | {' | '.join(cells)} |")
    return lines


def main() -> None:
    """Measures every data set, prints and writes the tables."""
    parser = argparse.ArgumentParser(prog="python -m bench.new_users", description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, nargs="+", help="folders or files of ratings")
    parser.add_argument("--draws", type=int, default=3, help="how many times a tenth of the users is drawn")
    options = parser.parse_args()
    lines: list[str] = []
    figures = {}
    for path in options.data:
        data = load_ratings(path)
        draws = [squared_errors(data, draw) for draw in range(options.draws)]
        errors = {
            given: {name: np.concatenate([draw[given][name] for draw in draws]) for name in draws[0][given]}
            for given in GIVEN
        }
        found = table(path.resolve().name, errors)
        print("\n".join(found), flush=True)
        lines += ["", *found]
        figures[path.resolve().name] = {
            given: {name: float(values.mean()) for name, values in squared.items()} for given, squared in errors.items()
        }
    write_results("new_users", {**describe_machine(), "mse": figures}, "\n".join(lines[1:]))


if __name__ == "__main__":
    main()
