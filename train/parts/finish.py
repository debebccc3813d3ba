"""What a fitted network gives each part's users: rows of the user table, histories, and predictions to measure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from model.events import NO_EVENTS, EventHistory
from model.factor_network import FactorNetwork
from model.history import History
from model.ids import IdMap
from model.scale import RatingScale
from train.evaluation.baselines import BiasModel
from train.evaluation.evaluate import NETWORK
from train.evaluation.held_out import HeldOut
from train.factors.encode import encode_users
from train.parts.events import UserEvents
from train.parts.ids import ids_of, ids_tensor, ranked
from train.parts.load import Part
from train.parts.one_fit import Fit
from train.parts.rows import FitRows
from train.scratch import scratch_array
from train.user_table import put_users

_ROWS_AT_ONCE = 65_536
_PREDICTION = "prediction "


class Finished(NamedTuple):
    """All users of a network, whose table and histories lie in mapped files.

    user_ids: with those who have events alone. held_out: None where nothing was measured.
    movie_ratings: (M,) int64, how many ratings each movie has.
    """

    user_ids: IdMap
    history: History
    events: EventHistory
    held_out: HeldOut | None
    movie_ratings: np.ndarray


@contextmanager
def finished(
    fit: Fit,
    network: FactorNetwork,
    biases: Mapping[int, Mapping[str, BiasModel]] | None,
    events: UserEvents | None,
    folder: Path,
) -> Iterator[Finished | None]:
    """Encodes all users; in the first process the network's user table is filled while the block runs.

    biases: the baselines by part, where the held-out ratings are to be measured. events: of all users, in the first
    process. folder: where the mapped files lie.
    """
    own = {part.number: part for part in fit.rows()}
    parts = {part.number: part for part in fit.parts}

    def users(number: int) -> dict[str, Any]:
        ids, width = ids_tensor(parts[number].rows.users)
        return {"part": number, "ids": ids, "width": width, "count": own[number].by_user.count.int()}

    def work(number: int) -> dict[str, Any]:
        told, num_users = own[number].ratings, len(own[number].by_user.count)
        rows = encode_users(network, told, torch.arange(num_users), num_users)
        measured = {} if biases is None else _measured(parts[number], own[number], rows, network, biases[number])
        seen = {"item": own[number].by_user.other, "rating": own[number].rating}
        hidden = {} if fit.everything or fit.config.events is None else _hidden(parts[number], fit.num_movies)
        return {"part": number, "rows": rows, **seen, "measured": measured, "hidden": hidden}

    everybody = sorted(fit.group.each(fit.facts.parts, users), key=lambda one: int(one["part"]))
    if not fit.group.first:
        for _ in fit.group.each(fit.facts.parts, work):
            raise AssertionError("only the first process gets something")
        yield None
        return
    unknown = network.user_embedding.weight[-1:].clone()
    files = _Files(everybody, events, folder, unknown, fit.num_movies)
    told = []
    for one in fit.group.each(fit.facts.parts, work):
        files.put(one["part"], one["rows"], one["item"], one["rating"])
        files.hide(one["part"], **one["hidden"])
        told.append({**one["measured"], "part": one["part"]})
    put_users(network, torch.from_numpy(files.table))
    told.sort(key=lambda one: int(one["part"]))
    held_out = None if biases is None else _held_out(told, network, fit.scale, files.movie_ratings)
    history = files.history()
    yield Finished(IdMap(files.ids), history, files.event_history(history), held_out, files.movie_ratings)
    put_users(network, unknown)


class _Files:
    """The user table and the histories of all users by ascending id, in mapped files.

    everybody: the parts' ids and numbers of ratings, in the order of the parts. unknown: (1, W), the row of a user
    without ratings, which those get who have events alone.
    """

    def __init__(
        self,
        everybody: list[dict[str, Any]],
        events: UserEvents | None,
        folder: Path,
        unknown: Tensor,
        num_movies: int,
    ) -> None:
        each = [ids_of(one["ids"], one["width"]) for one in everybody]
        if events is not None:
            each.append(np.setdiff1d(events.users, np.concatenate(each), assume_unique=True))
        self.ids, order, rank = ranked(each)
        ends = np.cumsum([0, *map(len, each)])
        counted = torch.cat([one["count"] for one in everybody]).numpy()
        counts = np.append(counted, np.zeros(len(self.ids) - len(counted), dtype=counted.dtype))[order]
        self.places = {one["part"]: rank[ends[place] : ends[place + 1]] for place, one in enumerate(everybody)}
        self.offsets = np.concatenate(([0], np.cumsum(counts, dtype=np.int64)))
        ratings = int(self.offsets[-1])
        self.table = scratch_array(folder, np.float32, (len(self.ids) + 1, unknown.shape[1]))
        self.table[np.append(rank[len(counted) :], len(self.ids))] = unknown.numpy()
        self.item = scratch_array(folder, np.int32, (ratings,))
        self.rating = scratch_array(folder, np.float32, (ratings,))
        self.movie_ratings = np.zeros(num_movies, dtype=np.int64)
        self.pairs = None if events is None else events.pairs(self.ids, num_movies)

    def put(self, part: int, rows: Tensor, item: Tensor, rating: Tensor) -> None:
        """Writes the rows of a part's users, and their ratings."""
        places = self.places[part]
        self.table[places] = rows.numpy()
        counts = self.offsets[places + 1] - self.offsets[places]
        ends = np.cumsum(counts)
        target = np.repeat(self.offsets[places] - (ends - counts), counts) + np.arange(len(rating))
        self.item[target], self.rating[target] = item.numpy(), rating.numpy()
        self.movie_ratings += np.bincount(item.numpy(), minlength=len(self.movie_ratings))

    def hide(self, part: int, owner: Tensor | None = None, item: Tensor | None = None) -> None:
        """Leaves out the events of these pairs (H,) of a part's users and movies, if there are any."""
        if self.pairs is not None and owner is not None and item is not None:
            self.pairs.hide(self.places[part][owner.numpy()], item.numpy())

    def event_history(self, history: History) -> EventHistory:
        """Everybody's events."""
        return NO_EVENTS if self.pairs is None else self.pairs.history(history)

    def history(self) -> History:
        """Everybody's ratings."""
        small = self.offsets[-1] < 2**31
        return History(self.offsets.astype(np.int32 if small else np.int64), self.item, self.rating)


def _hidden(part: Part, num_movies: int) -> dict[str, Tensor]:
    """The pairs (H,) of users and movies that are held out or measured, and so must not be told by events."""
    owner, item, _ = part.measured
    known = (owner < len(part.rows.users)) & (item < num_movies)
    owner = np.append(part.rows.owner[part.held_out], owner[known])
    item = np.append(part.rows.item[part.held_out], item[known])
    return {"owner": torch.from_numpy(owner), "item": torch.from_numpy(item)}


def _measured(
    part: Part, rows: FitRows, users: Tensor, network: FactorNetwork, biases: Mapping[str, BiasModel]
) -> dict[str, Any]:
    """What the network and the baselines say of a part's measured ratings (H,)."""
    owner, item, rating = part.measured
    truth = torch.from_numpy(rating)
    users = torch.cat([users, network.user_embedding.weight[-1:]])
    counts = torch.cat([rows.by_user.count, torch.zeros(1)])
    units, levels = [], []
    with torch.inference_mode():
        for first in range(0, max(len(owner), 1), _ROWS_AT_ONCE):
            some = slice(first, first + _ROWS_AT_ONCE)
            user = users[torch.from_numpy(owner[some]).long()]
            movie = network.movie_tower(torch.from_numpy(item[some]).long())
            units.append(network.head(user, movie))
            levels.append(network.level_probabilities(user, movie).half())
    found = {"truth": truth, "owner_ratings": counts[torch.from_numpy(owner).long()].int()}
    found |= {"item": torch.from_numpy(item), "unit": torch.cat(units), "level": torch.cat(levels)}
    predicted = {name: model.predict(owner, item).astype(np.float32) for name, model in biases.items()}
    return found | {_PREDICTION + name: torch.from_numpy(value) for name, value in predicted.items()}


def _held_out(
    told: list[dict[str, Any]], network: FactorNetwork, scale: RatingScale, movie_ratings: np.ndarray
) -> HeldOut:
    """All parts' measured ratings, in the order of the parts."""
    found = {name: torch.cat([one[name] for one in told]) for name in told[0] if name != "part"}
    predictions = {NETWORK: scale.to_rating(found["unit"]).numpy()}
    for name in found:
        if name.startswith(_PREDICTION):
            predictions[name.removeprefix(_PREDICTION)] = found[name].numpy().clip(scale.minimum, scale.maximum)
    ordinal, truth = network.ordinal, found["truth"].numpy()
    return HeldOut(
        np.arange(len(truth)),
        found["owner_ratings"].numpy(),
        np.append(movie_ratings, 0)[found["item"].numpy()].astype(np.int32),
        truth,
        predictions,
        scale.to_rating(ordinal.unit).numpy(),
        ordinal.edges.numpy(),
        found["level"].numpy(),
    )
