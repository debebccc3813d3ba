"""`python -m bench.events DATA`: what events give to the lists of people who rated, on held-out ratings.

Of the training rows, `SHARE` lose their rating and become events. The rest is fitted as in a training. All rankings
leave out the same movies: those that a user rated, and those of their events.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bench.markdown import table
from bench.ranking.ours import fit_ours
from bench.ranking.task import rows_of
from model.picks import UserPicks
from model.scale import RatingScale
from train.config import TrainConfig
from train.dataset.data import split_ratings
from train.dataset.tensors import index_ratings, look_up_events, look_up_ratings
from train.evaluation.bootstrap import Bootstrap
from train.evaluation.ranking import first_movies
from train.interest.fit import Blend, fit_interest, picks_of_users
from train.interest.scores import INTEREST, ranked_scores
from train.readers import load_ratings

SHARE = 0.5
NDCG = "ndcg@10"
WAYS = ("ratings alone", "events in the weights", "events in the weights and in the user's picks")


class Gain(NamedTuple):
    """nDCG@10 of each user (U,), by way."""

    users: int
    ndcg: Mapping[str, np.ndarray]


def measure(path: Path) -> Gain:
    """The order by interest with the events in more and more places."""
    data = load_ratings(path)
    scale = RatingScale(*data.rating_scale)
    split = split_ratings(data.ratings, source=data.source)
    hidden = np.random.default_rng(0).random(len(split.train)) < SHARE
    rated = index_ratings(split.train[~hidden], data.movies)
    ids = rated.user_ids, rated.movie_ids
    held_out = look_up_ratings(split.validation, *ids)
    viewed = replace(rated, events=look_up_events(split.train[hidden], *ids)).without_events_of(held_out)
    picks = picks_of_users(viewed)
    ours = fit_ours(rated, scale, seed=0)
    blend = Blend(rating_share=0.0, restraint=float(ours.interest.restraint))
    learnt = fit_interest(viewed, ours.network, scale, TrainConfig().tuned_interest, blend)
    rows = rows_of(rated.ratings, held_out, len(ids[0]), len(ids[1]), scale)
    found = {}
    ways = ((ours.interest, UserPicks(picks.history)), (learnt, UserPicks(picks.history)), (learnt, picks))
    for name, (interest, own) in zip(WAYS, ways, strict=True):
        scores = ranked_scores(interest, own, ours.network, scale)
        known = rows.num_users, rows.num_movies
        lists = first_movies(rows.task.user, rows.train, *known, scores, picks.events)
        found[name] = rows.measure(lists[INTEREST])[NDCG]
    return Gain(len(rows.task.user), found)


def main() -> None:
    """Prints a table for each data set."""
    parser = argparse.ArgumentParser(prog="python -m bench.events", description=__doc__.splitlines()[0])
    parser.add_argument("data", nargs="+", type=Path, help="folders or files of ratings")
    for path in parser.parse_args().data:
        gain = measure(path)
        bootstrap = Bootstrap(gain.users)
        lines = []
        for name, values in gain.ndcg.items():
            more = bootstrap.intervals({name: values - gain.ndcg[WAYS[0]]})[name]
            against = "" if name == WAYS[0] else f"{more.mean:+.3f} ({more.low:+.3f} to {more.high:+.3f})"
            lines.append([name, f"{values.mean():.3f}", against])
        print(table([f"{path.resolve().name}, {gain.users:,} users", NDCG, f"more than {WAYS[0]}"], 1, lines))


if __name__ == "__main__":
    main()
