"""A row outside its table is refused before it reaches the GPU, which would be lost for the process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from model.artifact import load_artifact
from model.scorer import Scorer
from tests.gpu import models

pytestmark = pytest.mark.gpu

USER, MOVIE = np.array([3]), np.array([5])
NO_USER, NO_MOVIE = np.array([models.USERS + 1]), np.array([models.MOVIES + 1])
NEGATIVE = np.array([-models.MOVIES - 5])
RATINGS = np.array([8.0])
OUTSIDE: dict[str, Callable[[Scorer], object]] = {
    "a user": lambda scorer: scorer.rate(NO_USER, MOVIE),
    "a movie": lambda scorer: scorer.rate(USER, NO_MOVIE),
    "a negative row": lambda scorer: scorer.rate(USER, NEGATIVE),
    "a fold-in user who is not there": lambda scorer: scorer.rate(NO_USER + 1, MOVIE, [scorer.encode(MOVIE, RATINGS)]),
    "a user of lists": lambda scorer: scorer.rate_all(NO_USER, MOVIE),
    "a movie of lists": lambda scorer: scorer.rate_all(USER, NO_MOVIE),
    "a movie of sketched lists": lambda scorer: scorer.sketch_all(USER, NO_MOVIE),
    "a rated movie": lambda scorer: scorer.encode(NO_MOVIE, RATINGS),
}


@pytest.fixture(scope="module")
def scorer(paths: dict[str, Path], device: str) -> Scorer:
    return Scorer(load_artifact(paths["factors"], device), device)


@pytest.mark.parametrize("what", OUTSIDE)
def test_row_outside_its_table_is_refused(scorer: Scorer, what: str) -> None:
    before = scorer.rate(USER, MOVIE)
    with pytest.raises(IndexError, match="out"):
        OUTSIDE[what](scorer)
    assert scorer.rate(USER, MOVIE).tolist() == before.tolist()
