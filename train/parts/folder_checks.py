"""What a prepared folder must be for a run to train on it."""

from __future__ import annotations

from model.scale import RatingScale
from train.config import SPLITS_BY_TIME
from train.errors import DataError
from train.parts.config import PartsConfig
from train.prepared.folder import MANIFEST, PreparedFolder


class TooManyProcessesError(DataError):
    """There are more processes than parts, so that some would have nothing to do."""

    def __init__(self, address: str, parts: int, world: int) -> None:
        super().__init__(address, parts, world)
        self.address, self.parts, self.world = address, parts, world

    def __str__(self) -> str:
        told = f"{self.address}: {self.parts} parts for {self.world} processes"
        return f"{told}; allowed: PROCESSES={self.parts} or fewer"


def refuse_without_times(config: PartsConfig, folder: PreparedFolder) -> None:
    """Raises DataError if the split needs times that the folder lacks."""
    if config.test_size and config.split in SPLITS_BY_TIME and not folder.manifest.times:
        source = folder.manifest.source or folder.address
        told = f"{source}: no times, and --split {config.split} needs one for every rating"
        raise DataError(f"{told}: prepare ratings that have times; --time-column names their column")


def scale_of(config: PartsConfig, folder: PreparedFolder) -> RatingScale:
    """The scale of the ratings. Raises DataError if they leave the one that was asked for."""
    found, asked = folder.manifest.rating_scale, config.rating_scale
    if asked is None:
        return RatingScale(*found)
    if asked[0] > found[0] or asked[1] < found[1]:
        told = f"rating-scale: got {asked[0]:g} to {asked[1]:g}"
        raise DataError(f"{told}, and the ratings of {folder.address} lie in {found[0]:g} to {found[1]:g}")
    return RatingScale(*asked)


def refuse_other_number(folder: PreparedFolder, ratings: int) -> None:
    """Raises DataError if the parts do not have as many ratings as the manifest says."""
    told = folder.manifest.ratings
    if ratings != told:
        found = f"{folder.address}: its parts have {ratings:,} ratings, and {MANIFEST} says {told:,}"
        raise DataError(f"{found}: a file is missing or was added, or the number is wrong")
