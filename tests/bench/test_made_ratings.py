"""The made-up ratings of `python -m bench.train`, and its measurement."""

from pathlib import Path

import numpy as np
import pytest

from bench.made_ratings import Made, draw_pairs, rate, write_ratings
from bench.train import measure, sizes_table
from train.readers import load_ratings


def test_pairs_are_distinct_and_long_tailed() -> None:
    user, movie = draw_pairs(np.random.default_rng(0), 40_000, 2_000, 1_200)
    assert len(np.unique(user * 1_200 + movie)) == len(user) == 40_000
    for rows, num in ((user, 2_000), (movie, 1_200)):
        counts = np.sort(np.bincount(rows, minlength=num))
        assert counts[-num // 10 :].sum() > 0.25 * len(rows)  # a tenth of them has a quarter of the ratings or more
        assert counts[-1] > 5 * np.median(counts)


def test_training_on_made_ratings_beats_the_biases(tmp_path: Path) -> None:
    write_ratings(tmp_path / "ratings.csv", Made.of(20_000))
    data = load_ratings(tmp_path / "ratings.csv")
    assert (len(data.ratings), data.repeated_pairs, data.rating_scale) == (20_000, 0, (1.0, 10.0))
    figures = measure(tmp_path / "ratings.csv", threads=1)
    assert figures["mse"] < figures["bias_mse"]
    assert {"read", "choose", "fit", "refit", "write", "total"} <= set(figures["seconds"])
    assert 0 < figures["read_peak_gib"] <= figures["peak_gib"]
    larger = {**figures, "rows": 40_000, "seconds": {"total": 2 * figures["seconds"]["total"]}}
    assert "to the power of 1.00" in sizes_table([figures, larger])


def test_same_seed_makes_the_same_file(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_ratings(tmp_path / name, Made.of(1_000), seed=3)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_more_tastes_fall_in_strength_and_deviate_as_much_in_all() -> None:
    """Every user rates every movie, so that the singular values of the ratings tell the tastes."""
    made = Made.of(0, users=900, movies=700, tastes=5)
    assert made.shares * 137 / 60 == pytest.approx([1, 1 / 2, 1 / 3, 1 / 4, 1 / 5])
    user, movie = np.indices((900, 700)).reshape(2, -1)
    rating = rate(np.random.default_rng(0), user, movie, made).reshape(900, 700).astype(float)
    rest = rating - rating.mean(0) - rating.mean(1, keepdims=True) + rating.mean()
    values = np.linalg.svd(rest, compute_uv=False)
    assert values[4] > 1.5 * values[5]
    assert (np.square(values[:5]).sum() / rest.size) ** 0.5 == pytest.approx(1.2, abs=0.15)
