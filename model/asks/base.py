"""The common part of all asks: an ask plans which pairs must be rated, and makes its answer from their ratings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, NamedTuple, Protocol, TypeVar, runtime_checkable

import numpy as np
from torch import Tensor

from model.artifact import Artifact
from model.catalogue import Catalogue
from model.events import EventHistory
from model.history import History
from model.ids import IdMap
from model.picks import Picks, UserPicks
from model.ranking import Ranking
from model.scale import RatingScale
from model.scorer import Scorer
from model.similarity import Similarity, vectors_of
from model.title_index import TitleIndex
from model.vocabulary import Vocabulary

RawId = int | str
# The pairs of an ask that needs no rating.
NO_ROWS = np.empty(0, dtype=np.int64)


@runtime_checkable
class Answer(Protocol):
    """The counts that every answer has, for the log and the metrics."""

    def num_pairs(self) -> int:
        """How many (user, movie) pairs the network rated for it."""

    def num_unknown(self) -> int:
        """How many ids in the ask the model does not know."""


Found = TypeVar("Found", covariant=True)


class Run(NamedTuple, Generic[Found]):
    """The rows of pairs to rate, two (B,) int32 or int64, and a function from their ratings (B,) to the answer."""

    users: np.ndarray
    movies: np.ndarray
    finish: Callable[[np.ndarray], Found]


class User(NamedTuple):
    """One user: their row, their picks, and whether the model knows them."""

    row: int
    picks: Picks
    known: bool


@dataclass(frozen=True)
class ServedModel:
    """An artifact's tables, and the scorer with its network: everything that an ask needs for its plan."""

    user_ids: IdMap
    movie_ids: IdMap
    scale: RatingScale
    history: History
    events: EventHistory
    catalogue: Catalogue
    scorer: Scorer
    ranking: Ranking | None
    """Scores by interest; None if the model only predicts ratings."""
    similarity: Similarity | None
    """The similarity of movies; None if the network has no movie vectors."""
    words: Vocabulary
    """The clients' words for movies and genres."""

    @classmethod
    def from_artifact(cls, artifact: Artifact, device: str = "cpu") -> ServedModel:
        """Takes the artifact's tables, and computes the network's towers on the network's device."""
        scorer = Scorer(artifact, device)
        vectors = vectors_of(artifact.network, scorer.device)
        return cls(
            artifact.user_ids,
            artifact.movie_ids,
            artifact.scale,
            artifact.history,
            artifact.events,
            artifact.catalogue,
            scorer,
            None if artifact.interest is None else Ranking(artifact.interest, device),
            None if vectors is None else Similarity(vectors, len(artifact.movie_ids), scorer.device),
            artifact.words,
        )

    @cached_property
    def titles(self) -> TitleIndex:
        """The index of titles, made at the first search. A movie without a title is found by its raw id."""
        number = len(self.movie_ids)
        known: Sequence[str | None] = self.catalogue.columns.get("title", [None] * number)
        names = self.movie_ids.raw(np.arange(number))
        titles = [str(name) if title is None else title for title, name in zip(known, names, strict=True)]
        return TitleIndex(titles, np.bincount(self.history.movie_index, minlength=number))

    def user(self, user_id: RawId | None) -> User:
        """The user with this raw id; an id that the model does not know, and None, give the unknown user."""
        return self.user_at(self.user_ids.unknown if user_id is None else self.user_ids.row(user_id))

    def user_at(self, row: int) -> User:
        """The user in this row; the row after the last one is the unknown user's."""
        return User(row, self._picks.of_user(row), row != self.user_ids.unknown)

    @cached_property
    def _picks(self) -> UserPicks:
        return UserPicks(self.history, self.events)


class Call:
    """The state that the asks of one call share: fold-in users, and one matrix product for all users' interest."""

    def __init__(self, model: ServedModel) -> None:
        self._first_row = model.user_ids.unknown + 1
        self._ranking = model.ranking
        self._picks: list[Picks] = []
        self._interests: np.ndarray | None = None
        self.fold_ins: list[Tensor] = []

    def add_fold_in(self, vector: Tensor) -> int:
        """Gives the user with this vector (W,) a row for this call: the next free one after the unknown user's row."""
        self.fold_ins.append(vector)
        return self._first_row + len(self.fold_ins) - 1

    def ask_interest(self, picks: Picks) -> Callable[[], np.ndarray]:
        """Registers a user's picks. After all asks are planned, the returned function gives the user's interest,
        (num_movies + 1,).
        """
        place = len(self._picks)
        self._picks.append(picks)
        return lambda: self._all_interests()[place]

    def _all_interests(self) -> np.ndarray:
        if self._interests is None and self._ranking is not None:
            self._interests = self._ranking.interests(self._picks)
        if self._interests is None:
            raise NotImplementedError("this model has no interest part")
        return self._interests


@runtime_checkable
class PlannedAsk(Protocol):
    """An ask that can say which pairs must be rated for it."""

    def plan(self, model: ServedModel, call: Call) -> Run[Answer]:
        """The pairs to rate for this ask, and how to make its answer."""


class UserAsk(Protocol):
    """An ask about one user. A client may send ratings and events of that user with it: see `FoldInAsk`."""

    @property
    def user_id(self) -> RawId | None:
        """The user's raw id; None if the client sends only ratings or events, and no id."""

    def plan_for(self, user: User, model: ServedModel, call: Call) -> Run[Answer]:
        """As `PlannedAsk.plan`, for a user who was already looked up or folded in."""
