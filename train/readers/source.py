"""A source of bytes: a file, compressed or not, on this machine or in an object store, or a member of a zip archive."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any, Protocol

import pyarrow as pa
from pyarrow import fs

from train.errors import DataError

_DECOMPRESS: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
ZIP = ".zip"
PARQUET_SUFFIXES = (".parquet", ".pq")
JSON_SUFFIXES = (".jsonl", ".ndjson", ".json")
TEXT_SUFFIXES = (".csv", ".tsv", ".txt", ".dat", ".data", ".psv", ".tab")
DATA_SUFFIXES = (*PARQUET_SUFFIXES, *JSON_SUFFIXES, *TEXT_SUFFIXES)


class Readable(Protocol):
    """Anything with a name for messages and with bytes."""

    @property
    def name(self) -> str:
        """For messages."""
        ...

    def read(self) -> bytes:
        """All of them."""
        ...


@dataclass(frozen=True)
class Source:
    """A file of data.

    member: its name within a zip archive at `path`. store: an address in the object store that `path` lies in.
    """

    path: Path
    member: str = ""
    store: str = ""

    @property
    def name(self) -> str:
        """For messages: `ratings.csv.gz`, or `ml.zip/ratings.csv`."""
        return f"{self.path.name}/{PurePosixPath(self.member).name}" if self.member else self.path.name

    @property
    def plain_name(self) -> str:
        """The file's name after unpacking: `ratings.csv`."""
        name = PurePosixPath(self.member).name if self.member else self.path.name
        return name[: -len(Path(name).suffix)] if Path(name).suffix.lower() in _DECOMPRESS else name

    @property
    def suffix(self) -> str:
        """The suffix of the unpacked name, in lower case."""
        return Path(self.plain_name).suffix.lower()

    @property
    def stem(self) -> str:
        """The unpacked name without its suffix, in lower case."""
        return Path(self.plain_name).stem.lower()

    @property
    def is_packed(self) -> bool:
        """Whether it is compressed, or a member of an archive."""
        return bool(self.member) or self.path.suffix.lower() in _DECOMPRESS

    def packed_bytes(self) -> int:
        """The size of the file that holds it, packed or not. Raises DataError if it cannot be read."""
        with self._told_errors():
            if self.store:
                return int(fs.FileSystem.from_uri(self.store)[0].get_file_info(str(self.path)).size or 0)
            return self.path.stat().st_size

    def read(self, most: int | None = None) -> bytes:
        """The unpacked bytes: all, or the first `most`. Raises DataError if they cannot be read."""
        return next(self.chunks(-1 if most is None else most), b"")

    def chunks(self, size: int) -> Iterator[bytes]:
        """The unpacked bytes, so many at a time, -1 for all at once. Raises DataError if they cannot be read."""
        with self._told_errors(), self._opened() as packed:
            unpack = _DECOMPRESS.get(Path(self.member or self.path).suffix.lower())
            file = packed if unpack is None else unpack(packed)
            while data := file.read() if size < 0 else file.read(size):
                yield data

    @contextmanager
    def _told_errors(self) -> Iterator[None]:
        """Turns what goes wrong into a DataError."""
        try:
            yield
        except (EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, gzip.BadGzipFile, RuntimeError) as error:
            raise DataError(f"{self.name}: cannot be unpacked: {error}") from None
        except (OSError, pa.ArrowException) as error:
            told = getattr(error, "strerror", None) or str(error).partition("\n")[0]
            raise DataError(f"{self.path}: cannot be read: {told}") from None

    @contextmanager
    def _opened(self) -> Iterator[IO[bytes]]:
        if self.store:
            with fs.FileSystem.from_uri(self.store)[0].open_input_stream(str(self.path), compression=None) as stream:
                yield stream
            return
        if not self.member:
            with self.path.open("rb") as file:
                yield file
            return
        with zipfile.ZipFile(self.path) as archive, archive.open(self.member) as file:
            yield file


@dataclass(frozen=True)
class Place:
    """What DATA names: one source, or a folder or zip archive of several. `folder` contains the files beside it.

    stored: the data files of a folder in an object store, which only this list names.
    """

    folder: Path
    source: Source | None = None
    stored: tuple[Source, ...] | None = None

    @staticmethod
    def at(path: Path) -> Place:
        """The place at a path. Raises DataError if the path does not exist."""
        if not path.exists():
            raise DataError(f"{path}: no such file or folder")
        if path.is_dir():
            return Place(path)
        if path.suffix.lower() != ZIP:
            return Place(path.parent, Source(path))
        members = _members(path)
        if not members:
            raise DataError(f"{path}: no data in this archive; allowed are {', '.join(DATA_SUFFIXES)}")
        return Place(path, members[0] if len(members) == 1 else None)

    def find(self, name: str) -> Source | None:
        """The file with that name in the folder or archive, compressed or not."""
        if self.stored is not None:
            beside = (source for source in self.stored if source.path.parent == self.folder)
            return next((source for source in beside if source.plain_name == name), None)
        if self.folder.is_dir():
            found = (Source(self.folder / f"{name}{suffix}") for suffix in ("", *_DECOMPRESS))
            return next((source for source in found if source.path.is_file()), None)
        return next((source for source in _members(self.folder) if source.plain_name == name), None)

    def all(self) -> list[Source]:
        """Every data file in the folder and its subfolders, or in the archive, sorted by name."""
        if self.stored is not None:
            return list(self.stored)
        if not self.folder.is_dir():
            return _members(self.folder)
        paths = (path for path in sorted(self.folder.rglob("*")) if path.is_file())
        return [Source(path) for path in paths if not _is_hidden(path.relative_to(self.folder).parts) and is_data(path)]


def _members(archive: Path) -> list[Source]:
    try:
        with zipfile.ZipFile(archive) as opened:
            names = sorted(info.filename for info in opened.infolist() if not info.is_dir())
    except (zipfile.BadZipFile, OSError) as error:
        raise DataError(f"{archive}: cannot be read as a zip archive: {error}") from None
    paths = (PurePosixPath(name) for name in names)
    return [Source(archive, str(path)) for path in paths if not _is_hidden(path.parts) and is_data(path)]


def _is_hidden(parts: tuple[str, ...]) -> bool:
    """Whether a name begins with _ or a dot, such as Spark's _SUCCESS or a Mac's __MACOSX."""
    return any(part.startswith((".", "_")) for part in parts)


def is_data(path: Path | PurePosixPath) -> bool:
    """Whether the name is that of a data file, compressed or not."""
    return Source(Path(path)).suffix in DATA_SUFFIXES
