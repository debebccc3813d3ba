"""`python -m bench.gpu.generated FILE NUMBER`: generated ratings as one file of arrays, which loads in a moment.

Ten million take a while to draw. So a check draws them once, and every training of it loads them.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from bench.made_ratings import Made, draw_pairs, rate
from train.dataset.data import MOVIE_ID, RATING, USER_ID, RatingsData


def write_generated(path: Path, rows: int) -> None:
    """Writes ratings as bench/made_ratings.py makes them; the file appears whole."""
    made, random = Made.of(rows), np.random.default_rng(0)
    user, movie = draw_pairs(random, made.rows, made.num_users, made.num_movies)
    partial = path.with_suffix(".partial.npz")
    np.savez(partial, user=user, movie=movie, rating=rate(random, user, movie, made))
    partial.replace(path)


def load_generated(path: Path) -> RatingsData:
    """The ratings of the file."""
    with np.load(path, allow_pickle=False) as arrays:
        columns = {USER_ID: arrays["user"], MOVIE_ID: arrays["movie"], RATING: arrays["rating"].astype(np.float64)}
    return RatingsData(pd.DataFrame(columns), None, path, "", 0, (1.0, 10.0), str)


def main() -> None:
    """Writes the file."""
    path, number = sys.argv[1:]
    write_generated(Path(path), int(number))


if __name__ == "__main__":
    main()
