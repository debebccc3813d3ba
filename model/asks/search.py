"""Movies by the words of their titles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from model.asks.base import NO_ROWS, Call, Run, ServedModel


class SearchAnswer(NamedTuple):
    """Movies, the best match first: raw ids and rows (K,)."""

    movie_ids: Sequence[Any]
    movie_index: np.ndarray

    def num_pairs(self) -> int:
        """None."""
        return 0

    def num_unknown(self) -> int:
        """0: the search finds only known movies."""
        return 0


class SearchAsk(NamedTuple):
    """Which movies have titles with words that begin with these? See model/title_index.py."""

    query: str
    limit: int
    fields: Sequence[str] = ()

    def plan(self, model: ServedModel, call: Call) -> Run[SearchAnswer]:  # noqa: ARG002  every ask gets them
        """No pairs."""
        return Run(NO_ROWS, NO_ROWS, lambda _: self._find(model))

    def _find(self, model: ServedModel) -> SearchAnswer:
        rows = model.titles.find(self.query, self.limit)
        return SearchAnswer(model.movie_ids.raw(rows), rows)
