"""The prepared folder:

    manifest.json                  what `Manifest` holds
    items.parquet                  item_id: every rated item, ascending
    ratings/part=N/*.parquet       user_id, item_id, rating and, if all ratings have one, time (seconds since 1970)
    catalogue.json                 what is known of the items, as columns; optional

A user's ratings lie in one part: the highest bits of the user's hash (train/dataset/hashes.py). Rows may have any
order, and a part any number of files. The folder may lie in an object store.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
from pyarrow import fs

from model.ids import IdMap
from train.dataset.hashes import id_hashes, part_of
from train.errors import DataError
from train.prepared.catalogue import catalogue_of
from train.prepared.column_types import fault_of
from train.prepared.rows import Rows, sorted_rows
from train.readers.address import is_database, is_object_store

MANIFEST, ITEMS, CATALOGUE, RATINGS = "manifest.json", "items.parquet", "catalogue.json", "ratings"
FORMAT = 1
HASH = "splitmix64"


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a prepared folder says of itself.

    format: of the folder. hash: of the users. parts: their number, a power of two. ratings: rows of all parts.
    rating_scale: lowest and highest rating. times: whether the rows have times. source: where the ratings came from.
    reading: what the readers understood.

    Raises:
        DataError: a value cannot be.
    """

    format: int
    hash: str
    parts: int
    ratings: int
    rating_scale: tuple[float, float]
    times: bool = False
    source: str = ""
    reading: dict[str, list[str]] | None = None

    def __post_init__(self) -> None:
        wanted = {"format": FORMAT, "hash": HASH}
        for name, value in wanted.items():
            if getattr(self, name) != value:
                raise DataError(f"{MANIFEST}: {name}: got {getattr(self, name)}, allowed: {value}")
        if self.parts < 1 or self.parts & (self.parts - 1):
            raise DataError(f"{MANIFEST}: parts: got {self.parts}, allowed: a power of two, such as 64")
        lowest, highest = self.rating_scale
        if not lowest < highest:
            raise DataError(f"{MANIFEST}: rating_scale: got {self.rating_scale}, allowed: the lowest, then the highest")
        if self.ratings < 1:
            raise DataError(f"{MANIFEST}: ratings: got {self.ratings}, allowed: at least 1, the rows of all parts")


class PreparedFolder:
    """Reads a prepared folder."""

    def __init__(self, address: str | Path) -> None:
        """Raises DataError where there is none, or it is of another format."""
        self.address = str(address)
        try:
            self._files, self._root = _file_system(self.address)
            with self._files.open_input_file(self._path(MANIFEST)) as file:
                told = dict(json.loads(file.read()))
            known = {one.name for one in fields(Manifest)}
            self.manifest = Manifest(**{name: value for name, value in told.items() if name in known})
        except (pa.ArrowException, OSError) as error:
            raise DataError(f"{self.address}/{MANIFEST}: cannot be read: {_first_line(error)}") from None
        except (ValueError, TypeError) as error:
            raise DataError(f"{self.address}/{MANIFEST}: not of a prepared folder: {error}") from None

    def items(self) -> np.ndarray:
        """The raw ids of the rated items, ascending."""
        return np.unique(id_array(self._table(ITEMS, "item_id")["item_id"]))

    def catalogue(self) -> pd.DataFrame | None:
        """What is known of the items, as `RatingsData.movies`."""
        path = self._path(CATALOGUE)
        if self._files.get_file_info(path).type == fs.FileType.NotFound:
            return None
        with self._files.open_input_file(path) as file:
            return catalogue_of(f"{self.address}/{CATALOGUE}", file.read())

    def rows(self, part: int, item_ids: IdMap) -> Rows:
        """The ratings of one part. Raises DataError where they are damaged or belong to another part."""
        name = f"{RATINGS}/part={part}"
        table = self._part(part)
        users, found = id_array(table["user_id"]), table["item_id"]
        item = item_ids.rows(found.to_numpy() if item_ids.integer else list(map(str, found.to_pylist())))
        rating = table["rating"].to_numpy().astype(np.float32)
        time = table["time"].to_numpy().astype(np.float64) if self.manifest.times else None
        self._check(name, part, users, item == item_ids.unknown, rating)
        return sorted_rows(users, item.astype(np.int32), rating, time)

    def _check(self, name: str, part: int, users: np.ndarray, unknown: np.ndarray, rating: np.ndarray) -> None:
        lowest, highest = np.array(self.manifest.rating_scale, dtype=np.float32)
        strangers = part_of(id_hashes(users), self.manifest.parts) != part
        for wrong, told in (
            (strangers, "a user_id of another part: the highest bits of its hash decide"),
            (unknown, f"an item_id that {ITEMS} lacks"),
            (~((rating >= lowest) & (rating <= highest)), f"a rating outside {lowest:g} to {highest:g}"),
        ):
            if wrong.any():
                raise DataError(f"{self.address}/{name}: row {int(wrong.argmax()) + 1} has {told}")

    def _part(self, part: int) -> pa.Table:
        """The columns of a part. Engines write no folder for a part without users: it is empty, as another is typed."""
        names = ("user_id", "item_id", "rating", *(["time"] if self.manifest.times else []))
        for other in (part, *range(self.manifest.parts)):
            name = f"{RATINGS}/part={other}"
            if self._files.get_file_info(self._path(name)).type != fs.FileType.NotFound:
                found = self._table(name, *names)
                return found if other == part else found.slice(0, 0)
        raise DataError(f"{self.address}/{RATINGS}: has no part=N; allowed are folders part=0, part=1 and so on")

    def _table(self, name: str, *columns: str) -> pa.Table:
        try:
            table = pyarrow.parquet.read_table(self._path(name), filesystem=self._files, partitioning=None)
        except (pa.ArrowException, OSError) as error:
            raise DataError(f"{self.address}/{name}: cannot be read: {_first_line(error)}") from None
        for column in columns:
            if (fault := fault_of(table, column)) is not None:
                raise DataError(f"{self.address}/{name}: {column}: {fault}")
        return table

    def _path(self, name: str) -> str:
        return str(PurePosixPath(self._root) / name)


def is_prepared(data: str | Path) -> bool:
    """Whether a prepared folder lies there."""
    if is_database(data):
        return False
    try:
        files, root = _file_system(str(data))
        return bool(files.get_file_info(f"{root}/{MANIFEST}").type == fs.FileType.File)
    except (pa.ArrowException, OSError):  # which is told when it is read
        return False


def id_array(column: pa.ChunkedArray) -> np.ndarray:
    """A column of ids as int64, or as bytes of UTF-8."""
    if pa.types.is_integer(column.type):
        numbers: np.ndarray = column.to_numpy().astype(np.int64)
        return numbers
    return np.array([one.encode() for one in column.to_pylist()], dtype=np.bytes_)


def id_column(ids: np.ndarray) -> pa.Array:
    """What `id_array` read."""
    return pa.array(ids) if ids.dtype.kind != "S" else pa.array([one.decode() for one in ids.tolist()], pa.string())


def manifest_json(manifest: Manifest) -> str:
    """The text of manifest.json."""
    return json.dumps(asdict(manifest), indent=1, ensure_ascii=False) + "\n"


def _file_system(address: str) -> tuple[fs.FileSystem, str]:
    if is_object_store(address):
        files, root = fs.FileSystem.from_uri(address)
        return files, str(root)
    return fs.LocalFileSystem(), str(Path(address).absolute())


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
