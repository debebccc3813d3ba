"""The users that the first process sees whole: those with the smallest hashes, as many as the interest learns from.

With few ratings they are all users. What is chosen on an inner split, the interest part and the rankings come from
them, with the code of a training without parts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch

from model.ids import IdMap
from train.dataset.tensors import Ratings, TrainingSet
from train.parts.events import UserEvents
from train.parts.group import Group
from train.parts.load import Part


@dataclass(frozen=True)
class Sample:
    """Users and their ratings (R,), in the order of users; held_out: mask (R,). events: of sampled users, if any."""

    user_ids: IdMap
    movie_ids: IdMap
    ratings: Ratings
    held_out: torch.Tensor
    features: torch.Tensor | None
    events: UserEvents | None = None

    def training_set(self, everything: bool) -> TrainingSet:
        """What a fit sees: all of them, or the ratings that are not held out and the users who have some."""
        if everything:
            return self._with_events(TrainingSet(self.ratings, self.user_ids, self.movie_ids, self.features))
        ids = IdMap(self.user_ids.ids[self._trained.numpy()])
        rows = TrainingSet(self._renumbered(~self.held_out), ids, self.movie_ids, self.features)
        return self._with_events(rows).without_events_of(self.measured())

    def measured(self) -> Ratings:
        """The held-out ratings, with the rows of that training set; its unknown row for users without ratings there."""
        return self._renumbered(self.held_out)

    @cached_property
    def _trained(self) -> torch.Tensor:
        """Mask (N,) of the users who have ratings that are not held out."""
        return torch.bincount(self.ratings.user_index[~self.held_out], minlength=len(self.user_ids)) > 0

    def _with_events(self, rows: TrainingSet) -> TrainingSet:
        return rows if self.events is None else replace(rows, events=self.events.of_users(rows.user_ids))

    def _renumbered(self, mask: torch.Tensor) -> Ratings:
        """Some of the ratings, with the rows of the users who have ratings that are not held out."""
        row = torch.where(self._trained, self._trained.cumsum(0) - 1, self._trained.sum())
        some = self.ratings.take(mask)
        return replace(some, user_index=row[some.user_index])


def collect_sample(
    parts: list[Part], number: int, movie_ids: IdMap, features: torch.Tensor | None, group: Group
) -> Sample | None:
    """The sample in the first process, None in the others."""
    by_number = {part.number: part for part in parts}
    found = sorted(group.each(number, lambda one: _told(by_number[one])), key=lambda one: int(one["part"]))
    if not group.first:
        return None
    ids, _, rank = ranked([ids_of(one["ids"], one["width"]) for one in found])
    bases = np.cumsum([0, *(one["users"] for one in found)])
    owner = np.concatenate([rank[one["owner"].numpy() + base] for one, base in zip(found, bases[:-1], strict=True)])
    rows = torch.from_numpy(np.argsort(owner, kind="stable"))
    item, rating, held_out = (torch.cat([one[name] for one in found])[rows] for name in ("item", "rating", "held_out"))
    time = torch.cat([one["time"] for one in found])[rows] if "time" in found[0] else None
    ratings = Ratings(torch.from_numpy(owner)[rows], item.long(), rating, time)
    return Sample(IdMap(ids), movie_ids, ratings, held_out, features)


def _told(part: Part) -> dict[str, Any]:
    rows, mine = part.rows, part.of_sampled
    place = np.cumsum(part.sampled, dtype=np.int32) - 1
    tensors = {
        "owner": place[rows.owner[mine]],
        "item": rows.item[mine],
        "rating": rows.rating[mine],
        "held_out": part.held_out[mine],
        **({} if part.times is None else {"time": part.times}),
    }
    ids, width = ids_tensor(rows.users[part.sampled])
    told = {name: torch.from_numpy(array) for name, array in tensors.items()}
    return {"part": part.number, "users": int(part.sampled.sum()), "ids": ids, "width": width, **told}


def ranked(each: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The ids (N,) of several arrays, end to end: ascending, from where each one came, and where each one went."""
    ids = np.concatenate(each)
    order = np.argsort(ids, kind="stable")
    rank = np.empty(len(ids), dtype=np.int64)
    rank[order] = np.arange(len(ids))
    return ids[order], order, rank


def ids_tensor(ids: np.ndarray) -> tuple[torch.Tensor, int]:
    """Ids as a tensor, and the width of an id in bytes if they are strings, else 0."""
    if ids.dtype.kind == "S":
        return torch.from_numpy(ids.view(np.uint8).copy()), ids.dtype.itemsize
    return torch.from_numpy(ids.copy()), 0


def ids_of(tensor: torch.Tensor, width: int) -> np.ndarray:
    """What `ids_tensor` was given."""
    return tensor.numpy().view(f"S{width}") if width else tensor.numpy()
