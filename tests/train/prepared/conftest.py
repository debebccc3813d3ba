"""Ratings of sparse ids in a frame, with repeats and times."""

import numpy as np
import pandas as pd
import pytest


@pytest.fixture(scope="session")
def frame() -> pd.DataFrame:
    random = np.random.default_rng(3)
    rows = 3_000
    columns = {
        "user_id": random.integers(0, 200, rows) * 7 - 100,
        "movie_id": random.integers(0, 40, rows) * 2**40,
        "rating": random.integers(1, 11, rows) / 2,
        "time": 1_500_000_000 + random.integers(0, 10**6, rows),
    }
    return pd.DataFrame(columns)
