"""The options of a training run. Every field is an option of `python -m train`; its docstring is its help.

The options of one architecture carry its name, as in `--factors.factors 12` or `--mlp.embedding-dim 32`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Literal

from train.dataset.data import RatingsData
from train.factors.config import FactorsConfig
from train.interest.config import InterestConfig
from train.mlp.config import MLPConfig
from train.option_rules import check_value
from train.readers.events import KnownIds, load_events
from train.readers.options import ReaderOptions

SPLITS_BY_TIME = ("time", "time-per-user", "leave-last-out")


@dataclass(frozen=True)
class TrainConfig(ReaderOptions):
    """Options of one training run.

    Raises:
        ValueError: a value is not in the range that its docstring gives.
    """

    data: str | Path = Path("build/demo")
    """A folder or file of ratings, or a database: postgresql://user@host/name, or a file that ends in .sqlite."""
    rating_scale: tuple[float, float] | None = None
    """Lowest and highest allowed rating. By default, those of the training rows."""
    out: Path = Path("build/1.0")
    """Folder for the artifact, the checkpoint, metrics.json and the plots."""
    resume: bool = False
    """Resume from the saved stages of an interrupted run with the same options and data. The result is the same."""
    version: str = "1.0"
    """Version name, written into the metadata of the model."""
    architecture: Literal["factors", "mlp"] = "factors"
    """The network to train: factors is the default one, mlp the one of the reference notebook."""
    features: bool = True
    """Use genres, countries, year and grade of the catalogue for movies with few or no ratings (factors only)."""
    test_size: float = 0.2
    """Share of the ratings to hold out to measure errors; 0 <= test_size < 1. With 0, no errors are reported."""
    split: Literal["random", "time", "time-per-user", "leave-last-out", "users"] = "random"
    """Which ratings to hold out: random ones, the latest (of all, or of each user), the last one of each user, or those
    of new users after their first few."""
    given: int = 5
    """With `--split users`: how many ratings of each new user to train on; at least 1."""
    tune_for: Literal["split", "past", "future"] = "split"
    """Which ratings to predict best: those of the same time as the training's (past), or later ones (future, which
    needs times). By default (split), later ones with a split by time."""
    test_file: Path | None = None
    """A file of your own to measure on, instead of a split. The network is never trained on its ratings."""
    events: Path | None = None
    """A file of clicks, views or purchases without ratings. They affect the order of lists, not ratings."""
    folds: int = 0
    """Also measure errors by cross-validation with this many random folds; at least 2, or 0 for none."""
    ranking_users: int = 3_000
    """Most users to measure rankings on. A large catalogue takes fewer. With 0, no rankings are reported."""
    refit: bool = True
    """Train the served network again on all ratings, including the held-out ones."""
    split_seed: int = 1234
    """Seed of the split."""
    seed: int = 0
    """Seed of everything else. The same seed on the same machine gives the same artifact."""
    threads: int = 0
    """CPU threads; 0 is one for each core. They change no figure."""
    interest: InterestConfig = field(default_factory=InterestConfig)
    factors: FactorsConfig = field(default_factory=FactorsConfig)
    mlp: MLPConfig = field(default_factory=MLPConfig)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.words.refuse_fields()
        check_value("test_size", self.test_size, 0 <= self.test_size < 1, "0 up to, not including, 1")
        check_value("given", self.given, self.given >= 1, "at least 1")
        check_value("folds", self.folds, self.folds == 0 or self.folds >= 2, "0, or at least 2")
        if self.test_file is not None:
            told = f"{self.split}, with --test-file"
            check_value("split", told, self.split == "random", "none of the two together: leave one out")
        check_value("ranking_users", self.ranking_users, self.ranking_users >= 0, "at least 0")
        check_value("threads", self.threads, self.threads >= 0, "at least 0")
        if self.rating_scale is not None:
            check_value(
                "rating_scale", self.rating_scale, self.rating_scale[0] < self.rating_scale[1], "lowest, highest"
            )

    def read(self, path: str | Path, rating_scale: tuple[float, float] | None) -> RatingsData:
        """The ratings at `path`, and the events beside them, if a file of events is given.

        Raises:
            DataError: one of them cannot be read with these options.
        """
        data = super().read(path, rating_scale)
        if self.events is None:
            return data
        events = load_events(self.events, KnownIds.of_ratings(data), self.skip_bad_lines, data.reading)
        return replace(data, events=events)

    @property
    def learns_drift(self) -> bool:
        """Whether the network is corrected for how later ratings differ."""
        return self.split == "time" if self.tune_for == "split" else self.tune_for == "future"

    @property
    def tuned_interest(self) -> InterestConfig:
        """The options of the interest part, with the default that the split or `tune_for` decides."""
        if self.interest.sittings is not None:
            return self.interest
        future = self.split in SPLITS_BY_TIME if self.tune_for == "split" else self.tune_for == "future"
        return replace(self.interest, sittings=0.0 if future else 1.0)


# The options of reading that decide which rows there are; a report reads the ratings with those of the training.
RATINGS_OPTIONS = tuple(one.name for one in fields(ReaderOptions) if one.name not in ("movies", "catalogue"))
PRESETS = {
    "default": TrainConfig(),
    # As in the reference notebook: small steps, and three epochs whatever the validation error is. A fit takes minutes,
    # so the blend is given here: to choose it takes one more fit.
    "reference": TrainConfig(
        architecture="mlp",
        refit=False,
        interest=InterestConfig(rating_shares=(0.3,), restraints=(0.5,)),
        mlp=MLPConfig(
            dropout=0.3,
            embedding_dropout=0.05,
            epochs=3,
            patience=0,
            batch_size=8,
            learning_rate=1e-3,
            weight_decay=1e-5,
            loss_reduction="sum",
        ),
    ),
    # The reference's network in large steps, stopped by an inner split.
    "mlp": TrainConfig(architecture="mlp"),
}
