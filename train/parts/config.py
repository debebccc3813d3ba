"""The options of a training by parts: those of a training, less what needs all ratings in one place."""

from __future__ import annotations

from dataclasses import dataclass

from train.config import TrainConfig
from train.readers.address import is_database


@dataclass(frozen=True)
class PartsConfig(TrainConfig):
    """Options of `python -m train.parts`.

    Raises:
        ValueError: a value is not in the range that its docstring gives, or needs a training without parts.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        lacking = {
            "architecture": (self.architecture, "factors"),
            "folds": (self.folds, 0),
        }
        for name, (got, allowed) in lacking.items():
            if got != allowed:
                told = f"{name}: got {got}, allowed in a training by parts: {allowed}"
                raise ValueError(f"{told}; `CLUSTER=` (empty) trains without")
        if is_database(self.data):
            raise ValueError(f"{self.data}: a database is not trained on by parts: write its ratings to Parquet files")

    @property
    def measures(self) -> bool:
        """Whether there are ratings to measure on."""
        return self.test_size > 0 or self.test_file is not None

    @property
    def refits(self) -> bool:
        """Whether the network is fitted again, with the held-out ratings."""
        return self.refit and self.test_size > 0 and self.test_file is None
