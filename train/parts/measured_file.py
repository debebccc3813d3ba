"""`--test-file` by parts: the first process reads the file, and each part measures the rows of its own users.

Shapes: T rows of the file, U different users of these, M movies.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch

from model.ids import IdMap
from train.dataset.data import MOVIE_ID, RATING, TIME, USER_ID, RatingsData, index_ids
from train.dataset.features import raw_ids
from train.dataset.hashes import id_hashes, part_of
from train.dataset.splits import Mask
from train.dataset.tensors import Ratings
from train.errors import DataError
from train.parts.config import PartsConfig
from train.parts.group import Group
from train.parts.ids import ids_of, ids_tensor
from train.prepared.folder import PreparedFolder
from train.prepared.rows import Rows
from train.readers.rules import IdType


class Measured(NamedTuple):
    """Ratings (H,) that a part measures.

    owner: places of its n users; n is a user without ratings. item: rows of movies; M is an unknown movie.
    """

    owner: np.ndarray
    item: np.ndarray
    rating: np.ndarray


@dataclass(frozen=True)
class MeasuredFile:
    """Rows of a test file, whose movies have rows or the unknown one.

    users: (U,) raw ids, ascending. owner: (T,) places in users. time: (T,), or None.
    """

    users: np.ndarray
    owner: np.ndarray
    item: np.ndarray
    rating: np.ndarray
    time: np.ndarray | None

    def take(self, kept: np.ndarray) -> MeasuredFile:
        """Some of the rows."""
        time = None if self.time is None else self.time[kept]
        return replace(self, owner=self.owner[kept], item=self.item[kept], rating=self.rating[kept], time=time)

    def of_users(self, user_ids: IdMap) -> Ratings:
        """The same with the rows of these users; others are the unknown one."""
        place = _places(user_ids.ids, self.users)[self.owner]
        return Ratings(*(torch.from_numpy(one.copy()) for one in (place, self.item.astype(np.int64), self.rating)))

    def of_part(self, rows: Rows, number: int, parts: int) -> tuple[np.ndarray, Measured, Mask]:
        """What a part measures: places in the file (H,), the ratings, and which of them it holds (H,)."""
        own = np.flatnonzero((part_of(id_hashes(self.users), parts) == number)[self.owner])
        place = _places(rows.users, self.users)[self.owner[own]]
        asked = pd.DataFrame({"owner": place, "item": self.item[own], "rating": self.rating[own]})
        near = np.flatnonzero(np.isin(rows.owner, place))
        held = pd.DataFrame({"owner": rows.owner[near], "item": rows.item[near], "rating": rows.rating[near]})
        if self.time is not None and rows.time is not None:
            asked, held = asked.assign(time=self.time[own]), held.assign(time=rows.time[near])
        joined = asked.merge(held.drop_duplicates(), how="left", indicator=True)
        return own, Measured(place, self.item[own], self.rating[own]), (joined["_merge"] == "both").to_numpy()


class Read(NamedTuple):
    """What became of a test file. measured: by part of this process. rows, described: in the first process alone.

    rows: those that are measured. described: the split, as metrics.json tells it.
    """

    measured: list[Measured]
    rows: MeasuredFile | None
    described: dict[str, Any] | None


def read_test_file(
    config: PartsConfig, parts: dict[int, Rows], folder: PreparedFolder, movie_ids: IdMap, group: Group
) -> Read:
    """Reads the file, and spreads its rows over the parts. Rows that are trained on all the same are not measured.

    parts: of this process by number, with times if the folder has some.

    Raises:
        DataError: the file cannot be read, which the first process says, or all of its rows are trained on.
    """
    number = folder.manifest.parts
    data = _read(config, next(iter(parts.values())).users, movie_ids) if group.first else None
    file = _spread(data, movie_ids, group)
    own = {one: file.of_part(rows, one, number) for one, rows in parts.items()}
    known = [one.numpy() for one in group.each(number, lambda one: torch.from_numpy(own[one][0][own[one][2]]))]
    keep = config.copies == "keep"
    fault = _tell_known(data, np.concatenate(known), folder) if data is not None and not keep else None
    if (fault := group.tell(fault)) is not None:
        raise DataError(fault)
    measured = [rows if keep else Measured(*(column[~seen] for column in rows)) for _, rows, seen in own.values()]
    if data is None:
        return Read(measured, None, None)
    described = {"kind": "test-file", "file": data.source.name, "sha256": data.sha256, "served": "train"}
    rows = file if keep else file.take(np.setdiff1d(np.arange(len(file.owner)), np.concatenate(known)))
    return Read(measured, rows, described | {"reading": asdict(data.reading)})


def _read(config: PartsConfig, users: np.ndarray, movie_ids: IdMap) -> RatingsData:
    """The file. users: raw ids of some of the ratings."""
    assert config.test_file is not None
    types: tuple[IdType, IdType] = (
        "string" if users.dtype.kind == "S" else "integer",
        "integer" if movie_ids.integer else "string",
    )
    rules = replace(config, user_ids=types[0], movie_ids=types[1], movies=None, catalogue=False, events=None)
    return rules.read(config.test_file, config.rating_scale)


def _spread(data: RatingsData | None, movie_ids: IdMap, group: Group) -> MeasuredFile:
    """The rows of the first process's file, for every process."""
    told = None
    if data is not None:
        users, owner = index_ids(data.ratings[USER_ID])
        item = movie_ids.rows(raw_ids(data.ratings[MOVIE_ID])).astype(np.int32)
        columns: list[np.ndarray] = [owner, item, data.ratings[RATING].to_numpy(dtype=np.float32)]
        columns += [data.ratings[TIME].to_numpy(dtype=np.float64)] if TIME in data.ratings else []
        told = (*ids_tensor(users), *(torch.from_numpy(one.copy()) for one in columns))
    ids, width, *rest = group.tell(told)
    owner, item, rating, time = [*(one.numpy() for one in rest), None][:4]
    return MeasuredFile(ids_of(ids, width), owner, item, rating, time)


def _tell_known(data: RatingsData, places: np.ndarray, folder: PreparedFolder) -> str | None:
    """Warns of the rows of the file that are trained on; returns what is wrong if all are."""
    if not len(places):
        return None
    source = folder.manifest.source or folder.address
    told = f"{data.locate(int(places.min()))}: a row of {source} too, and trained on; rows like this: {len(places):,}"
    if len(places) == len(data.ratings):
        return f"{told}, which are all; allowed are ratings that are not trained on, or --copies keep"
    data.reading.warn(f"{told}, not measured; --copies keep measures them")
    return None


def _places(ids: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """The places (U,) int64 of ids among others (n,), ascending; n where they lack."""
    if not len(ids):
        return np.zeros(len(wanted), dtype=np.int64)
    place = np.minimum(np.searchsorted(ids, wanted), len(ids) - 1)
    return np.where(ids[place] == wanted, place, len(ids))
