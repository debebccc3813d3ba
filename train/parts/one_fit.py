"""What one fit by parts sees of the ratings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from torch import Tensor

from model.scale import RatingScale
from train.config import TrainConfig
from train.dataset.hashes import Hashes, id_hashes
from train.factors.drawn_rows import Drawn, draw
from train.parts.group import Group
from train.parts.load import Facts, Mask, Part
from train.parts.rows import FitRows, fit_rows
from train.parts.tree import Tree
from train.resume import Stages


class Fit(NamedTuple):
    """A fit's parts, its settings and where it keeps what is finished.

    everything: fit on the held-out ratings too. movie_hashes: (M,) of the movies' ids. label: names the fit.
    """

    group: Group
    facts: Facts
    parts: Sequence[Part]
    everything: bool
    features: Tensor | None
    movie_hashes: Hashes
    scale: RatingScale
    config: TrainConfig
    stages: Stages
    label: str

    @property
    def tree(self) -> Tree:
        """What its processes send each other in a sweep."""
        return Tree(self.group, self.facts.parts)

    @property
    def num_movies(self) -> int:
        """M."""
        return len(self.movie_hashes)

    def rows(self) -> list[FitRows]:
        """The ratings of this process's parts that it sees."""
        return [fit_rows(part, self.kept(part)) for part in self.parts]

    def kept(self, part: Part) -> Mask:
        """Which ratings (R,) of a part it sees."""
        return np.ones(len(part.held_out), dtype=np.bool_) if self.everything else ~part.held_out

    def counts(self) -> tuple[Tensor, Tensor]:
        """The different ratings that it sees (D,), ascending, and how often each occurs."""
        numbers = self.facts.numbers if self.everything else self.facts.trained
        return self.facts.values[numbers > 0], numbers[numbers > 0]

    def drawn(self, part: Part) -> Drawn:
        """Which of the ratings that it sees of a part the ordinal network learns from."""
        rows, kept = part.rows, self.kept(part)
        user, movie = id_hashes(rows.users)[rows.owner[kept]], self.movie_hashes[rows.item[kept]]
        return draw(user, movie, rows.rating[kept], int(self.counts()[1].sum()), self.config)
