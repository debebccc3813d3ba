"""What every kind of ask has in common: it plans which pairs are rated, and makes its answer of their ratings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, NamedTuple, Protocol, TypeVar, runtime_checkable

import numpy as np
from torch import Tensor

from model.artifact import Artifact
from model.catalogue import Catalogue
from model.history import History
from model.ids import IdMap
from model.scale import RatingScale
from model.scorer import Scorer

RawId = int | str


@runtime_checkable
class Answer(Protocol):
    """What every answer can say about the work behind it."""

    def num_pairs(self) -> int:
        """How many (user, movie) pairs the network rated for it."""

    def num_unknown(self) -> int:
        """How many ids of its ask the model does not know."""


Found = TypeVar("Found", covariant=True)


class Run(NamedTuple, Generic[Found]):
    """Pairs of rows to be rated, two (B,) int32 or int64, and what makes an answer of their ratings (B,)."""

    users: np.ndarray
    movies: np.ndarray
    finish: Callable[[np.ndarray], Found]


class User(NamedTuple):
    """One user: their row, the rows of the movies that they rated (S,), and whether the model knows them."""

    row: int
    rated: np.ndarray
    known: bool


@dataclass(frozen=True)
class ServedModel:
    """An artifact's tables, and the scorer that holds its network: all that an ask needs to plan itself."""

    user_ids: IdMap
    movie_ids: IdMap
    scale: RatingScale
    history: History
    catalogue: Catalogue
    scorer: Scorer

    @classmethod
    def from_artifact(cls, artifact: Artifact, device: str = "cpu") -> ServedModel:
        """The same tables, with the network's towers computed on the device where the network lies."""
        return cls(
            artifact.user_ids,
            artifact.movie_ids,
            artifact.scale,
            artifact.history,
            artifact.catalogue,
            Scorer(artifact, device),
        )

    def user(self, user_id: RawId | None) -> User:
        """A user by their raw id; an id that the model does not know, and None, give the unknown user."""
        row = self.user_ids.unknown if user_id is None else int(self.user_ids.rows([user_id])[0])
        return User(row, self.history.seen(row), row != self.user_ids.unknown)


class FoldIns:
    """The fold-in users of one call: those who have no row in the user table, only a vector of their own."""

    def __init__(self, model: ServedModel) -> None:
        self._first_row = model.user_ids.unknown + 1
        self.vectors: list[Tensor] = []

    def add(self, vector: Tensor) -> int:
        """Gives the user of this vector (W,) a row for the rest of the call: the next one after the unknown user's."""
        self.vectors.append(vector)
        return self._first_row + len(self.vectors) - 1


@runtime_checkable
class PlannedAsk(Protocol):
    """An ask that can say which pairs it needs rated."""

    def plan(self, model: ServedModel, fold_ins: FoldIns) -> Run[Answer]:
        """The pairs to be rated for this ask, and how its answer is made; `fold_ins` takes users without a row."""


class UserAsk(Protocol):
    """An ask about one user. A client may send that user's `ratings` along with it: see `FoldInAsk`."""

    @property
    def user_id(self) -> RawId | None:
        """The user's raw id; None where their ratings alone say who they are."""

    def plan_for(self, user: User, model: ServedModel) -> Run[Answer]:
        """As `PlannedAsk.plan`, for a user who is already looked up or folded in."""
