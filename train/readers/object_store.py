"""Ratings in an object store, at an address with s3:// or gs://. Each file is read from there when its turn comes.

This uses pyarrow's file systems. Keys come from the environment, as for any other client of the store.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path, PurePosixPath

import pyarrow as pa
from pyarrow import fs

from model.vocabulary import counted
from train.dataset.reading import Reading
from train.errors import DataError
from train.readers import kmrd, movielens, netflix
from train.readers.address import is_object_store
from train.readers.parts import CATALOGUE_STEMS
from train.readers.source import ZIP, Place, Source, is_data

_CATALOGUES = (*kmrd.CATALOGUE_FILES, *movielens.CATALOGUE_FILES, netflix.TITLES_FILE)


def place_in_store(address: str, reading: Reading) -> Place:
    """A folder's data files, or a file and the catalogue beside it. A zip archive is copied to this machine.

    Raises DataError if the address does not exist or cannot be read.
    """
    shown = _shown(address)
    with _told(shown):
        store, root = fs.FileSystem.from_uri(address)
        root = root.rstrip("/")
        chosen = _chosen(store, root, shown)
        size = sum(info.size or 0 for info in chosen)
        reading.say(f"{shown}: {counted(len(chosen), 'file')} of {size:,} bytes")
        if PurePosixPath(root).suffix.lower() == ZIP:
            return Place.at(_copy(store, root))
    sources = tuple(Source(Path(info.path), store=address) for info in chosen)
    if chosen[0].path == root:
        return Place(Path(root).parent, sources[0], sources)
    return Place(Path(root), None, sources)


def is_pattern_in_store(address: str) -> bool:
    """Whether it stands for several files of a store: `s3://bucket/parts/*.csv`. A `?` begins an address's options."""
    return is_object_store(address) and "*" in _shown(address)


def match_in_store(pattern: str) -> tuple[Place, list[Source]]:
    """The place of the first data file that a pattern matches, and all that it matches. A `*` matches within one name.

    Raises DataError if the store cannot be read.
    """
    with _told(_shown(pattern)):
        store, path = fs.FileSystem.from_uri(pattern)
        parts = PurePosixPath(path).parts
        folder = PurePosixPath(*takewhile(lambda name: "*" not in name, parts))
        found = _wanted_in(store, str(folder))
    sources = tuple(Source(Path(info.path), store=pattern) for info in found)
    chosen = [one for one in sources if len(one.path.parts) == len(parts) and one.path.match(path)]
    return Place(chosen[0].path.parent if chosen else Path(folder), None, sources), chosen


def _shown(address: str) -> str:
    """The address without its options, for messages."""
    return address.partition("?")[0].rstrip("/")


@contextmanager
def _told(shown: str) -> Iterator[None]:
    """Names the address where the store refuses something."""
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        told = str(error).partition("\n")[0]
        raise DataError(f"{shown}: cannot be read: {told}; does the environment contain the store's keys?") from None


def _chosen(store: fs.FileSystem, root: str, shown: str) -> list[fs.FileInfo]:
    """The files to read. If the address is a file, that file comes first."""
    info = store.get_file_info(root)
    if info.type == fs.FileType.File:
        beside = store.get_file_info(fs.FileSelector(str(PurePosixPath(root).parent)))
        return [info, *(one for one in beside if one.path != root and _is_catalogue(one))]
    if info.type == fs.FileType.NotFound:
        raise DataError(f"{shown}: no such file or folder in this store")
    found = _wanted_in(store, root)
    if not found:
        raise DataError(f"{shown}: no data files here")
    return found


def _wanted_in(store: fs.FileSystem, root: str) -> list[fs.FileInfo]:
    """The data files of a folder and its subfolders, sorted by name."""
    inside = store.get_file_info(fs.FileSelector(root, recursive=True))
    found = [one for one in inside if one.type == fs.FileType.File and _is_wanted(PurePosixPath(one.path), root)]
    return sorted(found, key=lambda one: str(one.path))


def _is_wanted(path: PurePosixPath, root: str) -> bool:
    parts = path.relative_to(root).parts
    return is_data(path) and not any(part.startswith((".", "_")) for part in parts)


def _is_catalogue(info: fs.FileInfo) -> bool:
    name = PurePosixPath(info.path).name
    return info.type == fs.FileType.File and (name in _CATALOGUES or name.split(".")[0].lower() in CATALOGUE_STEMS)


def _copy(store: fs.FileSystem, source: str) -> Path:
    """Copies a file. The copy exists until the program ends."""
    folder = Path(tempfile.mkdtemp(prefix="ncf-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    target = folder / PurePosixPath(source).name
    with store.open_input_stream(source, compression=None) as reader, target.open("wb") as writer:
        shutil.copyfileobj(reader, writer)
    return target
