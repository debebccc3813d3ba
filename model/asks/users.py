"""Some of the users that the model knows: a random sample, or those whose ids begin with a prefix."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from model.asks.base import NO_ROWS, Call, Run, ServedModel


class UsersAnswer(NamedTuple):
    """Raw ids (K,), and the number of ratings of each user (K,)."""

    user_ids: Sequence[Any]
    ratings: np.ndarray

    def num_pairs(self) -> int:
        """None."""
        return 0

    def num_unknown(self) -> int:
        """0: only known users are listed."""
        return 0


class UsersAsk(NamedTuple):
    """At most `number` users: drawn at random, or, with a `prefix`, the first users whose ids begin with it."""

    number: int
    prefix: str | None = None

    def plan(self, model: ServedModel, call: Call) -> Run[UsersAnswer]:  # noqa: ARG002  every ask gets them
        """No pairs."""
        return Run(NO_ROWS, NO_ROWS, lambda _: self._find(model))

    def _find(self, model: ServedModel) -> UsersAnswer:
        if self.prefix is None:
            known = len(model.user_ids)
            rows = np.array(random.sample(range(known), min(self.number, known)))  # nosec B311
        else:
            rows = model.user_ids.rows_with_prefix(self.prefix, self.number)
        return UsersAnswer(model.user_ids.raw(rows), np.diff(model.history.offsets)[rows])
