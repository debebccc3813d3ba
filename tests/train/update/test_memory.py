"""An update reads the ratings of a few users at a time, which changes nothing but the memory that it needs."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from model.artifact import Artifact, load_artifact, save_artifact
from model.events import EventHistory
from model.history import History
from model.scale import RatingScale
from train.dataset.data import RatingsData
from train.dataset.tensors import TrainingSet
from train.interest.config import InterestConfig
from train.interest.fit import Blend, fit_interest
from train.update.__main__ import main
from train.update.chunks import who_rated
from train.update.known_rows import without_known_rows
from train.update.merge import merge_ratings


@pytest.fixture
def base(taste_artifact: Artifact, taste_set: TrainingSet, tmp_path: Path) -> Path:
    """A version with an interest part and with events."""
    network, config = taste_artifact.network, InterestConfig(min_raters=1)
    interest = fit_interest(taste_set, network, RatingScale(1, 10), config, Blend(0.3, 0.0))
    users, movies = np.arange(40), np.arange(40) % 9
    events = EventHistory.from_pairs(users, movies, taste_artifact.history)
    assert len(events.movie_index)
    save_artifact(replace(taste_artifact, interest=interest, events=events), tmp_path / "ncf.pt")
    return tmp_path / "ncf.pt"


def test_few_users_at_a_time_give_the_same_version(
    base: Path, taste_artifact: Artifact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    history, ids = taste_artifact.history, taste_artifact.user_ids.ids.tolist()
    movies = taste_artifact.movie_ids.raw(history.movie_index)
    held = [(ids[0], movies[one], history.ratings[one]) for one in range(3)]
    rows = [*held, *((user, 1_004, 1.5) for user in ids[:60:2]), (3, -8, 9), (3, -8, 9), (ids[7], 2**40, 1)]
    pd.DataFrame(rows, columns=["user_id", "movie_id", "rating"]).to_csv(tmp_path / "new.csv", index=False)
    pd.DataFrame({"user_id": [ids[1], 5, 5], "movie_id": [1_003, 1_004, -8]}).to_csv(tmp_path / "e.csv", index=False)
    words = ["--base", str(base), "--ratings", str(tmp_path / "new.csv"), "--events", str(tmp_path / "e.csv")]
    digests = []
    for most in (1 << 20, 5):
        monkeypatch.setattr(History.few_at_once, "__defaults__", (most,))
        out = tmp_path / str(most)
        assert main([*words, "--copies", "keep", "--out", str(out)]) == 0
        updated = load_artifact(out / "ncf.pt")
        digests.append(updated.metadata["digest"])
        [step] = updated.metadata["updates"]
        assert (step["ratings"], step["new_users"], step["new_movies"]) == (len(rows) - 3, 2, 2)
        assert step["repeated_pairs"] >= 1
    assert digests[0] == digests[1]


def test_ratings_of_a_version_are_not_held_in_memory(
    taste_artifact: Artifact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(History.few_at_once, "__defaults__", (10_000,))
    users, each = len(taste_artifact.user_ids), 5_000
    random = np.random.default_rng(0)
    movies = random.integers(0, len(taste_artifact.movie_ids), users * each).astype(np.int32)
    history = History(np.arange(users + 1) * each, movies, np.full(len(movies), 7, dtype=np.float32))
    large = replace(taste_artifact, history=history)
    frame = pd.DataFrame({"user_id": taste_artifact.user_ids.ids, "movie_id": 1_004, "rating": 3.0})
    data = RatingsData(frame, None, Path("new.csv"), "5" * 64, 0, (1.0, 10.0), "row {}".format)
    tracemalloc.start()
    merged = merge_ratings(large, without_known_rows(large, data), tmp_path)
    assert merged.repeated_pairs() > 0
    assert len(who_rated(merged.history, merged.new.movie_index.unique()))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(merged.history.ratings) == users * (each + 1)
    assert peak < 2 * len(movies)  # in bytes; one copy of the rated movies has four for each rating
    assert list(tmp_path.iterdir()) == []
