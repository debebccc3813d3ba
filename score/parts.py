"""The folder of a scoring: one Parquet file for each part of the users, each written whole or not at all.

A file's metadata say what it was made from. So a run can resume with the missing parts, and parts of another model or
of other options are never mixed with these.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet

from model.files import atomic_write
from model.ids import IdMap
from model.vocabulary import Vocabulary
from score.lists import BestList
from train.errors import DataError

_KEY = b"ncf.score"
_LOCK = ".lock"


@dataclass(frozen=True)
class PartFolder:
    """`made_of` is what all parts have in common: the model's digest, the users' and the options, by name."""

    path: Path
    made_of: Mapping[str, Any]
    parts: int

    def file(self, number: int) -> Path:
        """The file of a part, 0 to parts - 1."""
        return self.path / f"part-{number:05d}-of-{self.parts:05d}.parquet"

    def missing(self) -> list[int]:
        """The parts that are still to be made.

        Raises:
            DataError: the folder holds a file that is no part of this scoring.
        """
        expected = {self.file(number): number for number in range(self.parts)}
        found = set(self.path.glob("*.parquet"))
        for path in sorted(found):
            self._refuse_other(path, path in expected)
        return [number for path, number in expected.items() if path not in found]

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Makes the folder, lets no other process write to it meanwhile, and removes what a killed one left.

        Raises:
            DataError: another process does.
        """
        if self.path.exists() and not self.path.is_dir():
            raise DataError(f"--out: {self.path}: is a file, allowed is a folder: its parts are the Parquet files")
        self.path.mkdir(parents=True, exist_ok=True)
        with (self.path / _LOCK).open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise DataError(f"--out: {self.path}: another scoring writes to it: wait, or stop it") from None
            for left in self.path.glob(".part-*.partial"):
                left.unlink()
            yield

    def write(self, number: int, table: pa.Table) -> None:
        """Writes a part in one step.

        Raises:
            OSError: it cannot be written; the message names the file, as pyarrow's own does not.
        """
        told = json.dumps({**self.made_of, "part": number}, ensure_ascii=False)
        with atomic_write(self.file(number), durable=True) as partial:
            try:
                pyarrow.parquet.write_table(table.replace_schema_metadata({_KEY: told}), partial, compression="zstd")
            except OSError as error:
                raise OSError(error.errno, os.strerror(error.errno or 0), str(self.file(number))) from error

    def _refuse_other(self, path: Path, expected: bool) -> None:
        way = "give another --out, or delete the folder"
        try:
            found = (pyarrow.parquet.read_schema(path).metadata or {}).get(_KEY)
        except (pa.ArrowException, OSError) as error:
            raise DataError(
                f"{path}: cannot be read as Parquet ({error}): delete it, and the same command goes on"
            ) from None
        if found is None:
            raise DataError(f"{path}: is no part of a scoring: {way}")
        made_of = json.loads(found)
        for name, value in self.made_of.items():
            if made_of.get(name) != value:
                raise DataError(f"{path}: was made with {name} {made_of.get(name)}, asked for is {value}: {way}")
        if not expected:
            raise DataError(f"{path}: is no part of this scoring: {way}")


def table_of(
    user_ids: np.ndarray, known: np.ndarray, lists: Sequence[BestList], movie_ids: IdMap, words: Vocabulary
) -> pa.Table:
    """One row per user: the id, whether the model knows it, and the list as three columns of equal length."""
    offsets = pa.array(np.concatenate(([0], np.cumsum([len(one.rows) for one in lists]))), pa.int32())
    rows = np.concatenate([one.rows for one in lists])
    ratings = np.concatenate([one.ratings for one in lists]).astype(np.float32)
    scores = np.concatenate([one.scores for one in lists]).astype(np.float32)
    columns = {
        "user_id": _id_array(user_ids),
        "user_known": pa.array(known),
        words.item_ids: pa.ListArray.from_arrays(offsets, _id_array(movie_ids.ids[rows])),
        "ratings": pa.ListArray.from_arrays(offsets, pa.array(ratings)),
        "scores": pa.ListArray.from_arrays(offsets, pa.array(scores)),
    }
    return pa.table(columns)


def _id_array(ids: np.ndarray) -> pa.Array:
    return pa.array(ids) if ids.dtype.kind != "S" else pa.array([one.decode() for one in ids.tolist()], pa.string())
