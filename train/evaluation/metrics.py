"""The metrics of predicted ratings, in one table that everything else is filled from.

metrics.json, the table on the screen, the report and the model card show every metric here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

# Name -> a function of the differences between predicted and true ratings, (B,) float64 in rating units.
RATING_METRICS: Mapping[str, Callable[[np.ndarray], float]] = {
    "mse": lambda difference: float(np.square(difference).mean()),
    "rmse": lambda difference: float(np.square(difference).mean()) ** 0.5,
    "mae": lambda difference: float(np.abs(difference).mean()),
}
