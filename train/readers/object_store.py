"""Ratings in an object store, at an address with s3:// or gs://. Each file is read from there when its turn comes.

This uses pyarrow's file systems. Keys come from the environment, as for any other client of the store.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from pathlib import Path, PurePosixPath

import pyarrow as pa
from pyarrow import fs

from model.vocabulary import counted
from train.dataset.reading import Reading
from train.errors import DataError
from train.readers import kmrd, movielens, netflix
from train.readers.parts import CATALOGUE_STEMS
from train.readers.source import ZIP, Place, Source, is_data

_CATALOGUES = (*kmrd.CATALOGUE_FILES, *movielens.CATALOGUE_FILES, netflix.TITLES_FILE)


def place_in_store(address: str, reading: Reading) -> Place:
    """A folder's data files, or a file and the catalogue beside it. A zip archive is copied to this machine.

    Raises DataError if the address does not exist or cannot be read.
    """
    shown = address.partition("?")[0].rstrip("/")
    try:
        store, root = fs.FileSystem.from_uri(address)
        root = root.rstrip("/")
        chosen = _chosen(store, root, shown)
        size = sum(info.size or 0 for info in chosen)
        reading.say(f"{shown}: {counted(len(chosen), 'file')} of {size:,} bytes")
        if PurePosixPath(root).suffix.lower() == ZIP:
            return Place.at(_copy(store, root))
    except (pa.ArrowException, OSError) as error:
        told = str(error).partition("\n")[0]
        raise DataError(f"{shown}: cannot be read: {told}; does the environment contain the store's keys?") from None
    sources = tuple(Source(Path(info.path), store=address) for info in chosen)
    if chosen[0].path == root:
        return Place(Path(root).parent, sources[0], sources)
    return Place(Path(root), None, sources)


def _chosen(store: fs.FileSystem, root: str, shown: str) -> list[fs.FileInfo]:
    """The files to read. If the address is a file, that file comes first."""
    info = store.get_file_info(root)
    if info.type == fs.FileType.File:
        beside = store.get_file_info(fs.FileSelector(str(PurePosixPath(root).parent)))
        return [info, *(one for one in beside if one.path != root and _is_catalogue(one))]
    if info.type == fs.FileType.NotFound:
        raise DataError(f"{shown}: no such file or folder in this store")
    inside = store.get_file_info(fs.FileSelector(root, recursive=True))
    found = [one for one in inside if one.type == fs.FileType.File and _is_wanted(PurePosixPath(one.path), root)]
    if not found:
        raise DataError(f"{shown}: no data files here")
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
