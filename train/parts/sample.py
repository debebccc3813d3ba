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
from train.parts.ids import ids_of, ids_tensor, ranked
from train.parts.load import Part
from train.parts.measured_file import MeasuredFile


@dataclass(frozen=True)
class Sample:
    """Users and their ratings (R,), in the order of users; held_out: mask (R,).

    events: of sampled users. test: the rows of a test file. None where the options name no file.
    """

    user_ids: IdMap
    movie_ids: IdMap
    ratings: Ratings
    held_out: torch.Tensor
    features: torch.Tensor | None
    events: UserEvents | None = None
    test: MeasuredFile | None = None

    def training_set(self, everything: bool) -> TrainingSet:
        """What a fit sees: all of them, or the ratings that are not held out and the users who have some."""
        if everything:
            return self._with_events(TrainingSet(self.ratings, self.user_ids, self.movie_ids, self.features))
        rows = TrainingSet(self._renumbered(~self.held_out), self.training_users, self.movie_ids, self.features)
        return self._with_events(rows).without_events_of(self.measured())

    def measured(self) -> Ratings:
        """What is measured, with the rows of that training set; its unknown row for users without ratings there."""
        if self.test is not None:
            return self.test.of_users(self.training_users)
        return self._renumbered(self.held_out)

    @cached_property
    def training_users(self) -> IdMap:
        """Those who have ratings that are not held out."""
        return IdMap(self.user_ids.ids[self._trained.numpy()])

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
