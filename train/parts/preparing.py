"""The prepared folder of a training by parts. It is made once, and again if the ratings have changed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import fields
from glob import glob
from pathlib import Path

from model.files import atomic_write
from train.parts.config import PartsConfig
from train.prepared.folder import is_prepared
from train.prepared.launch import Launcher, in_turn
from train.prepared.prepare import prepare
from train.readers.address import is_object_store
from train.readers.options import ReaderOptions
from train.readers.source import Place, is_data
from train.resume import FOLDER

_PREPARED, _MADE_OF = "prepared", "prepared-of.json"


def prepared_for(config: PartsConfig, launch: Launcher = in_turn) -> str:
    """The address of the prepared ratings. With `config.resume`, those of a killed run, if they are of the same data.

    Raises:
        DataError: the ratings cannot be read, or a file of events or to measure on is missing.
        OSError: the disk is full.
    """
    for path in (config.events, config.test_file):
        if path is not None:
            Place.at(path)  # which is read once the ratings are prepared, and that may take hours
    folder = config.out / FOLDER
    if not config.resume:
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    if is_prepared(config.data):
        return str(config.data)
    target, mark, made_of = folder / _PREPARED, folder / _MADE_OF, _made_of(config)
    if is_prepared(target) and mark.is_file() and mark.read_text(encoding="utf-8") == made_of:
        return str(target.absolute())
    shutil.rmtree(target, ignore_errors=True)
    print(prepare(config.data, config, config.rating_scale, target, launch=launch).text())
    with atomic_write(mark) as partial:
        partial.write_text(made_of, encoding="utf-8")
    return str(target.absolute())


def _made_of(config: PartsConfig) -> str:
    """What the prepared folder depends on: the data, the options of the reader, and each file's size and time."""
    options = {one.name: getattr(config, one.name) for one in fields(ReaderOptions)}
    named = [] if config.movies is None else [Path(config.movies)]
    paths = sorted({*_files(str(config.data)), *named})
    states = [(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in paths if path.is_file()]
    return json.dumps([str(config.data), config.rating_scale, options, states], default=str)


def _files(data: str) -> Iterator[Path]:
    """The files of ratings on this machine, and those beside them, among which a catalogue may be."""
    if is_object_store(data):
        return
    path = Path(data)
    if path.is_dir():
        found = (one for one in path.rglob("*") if one.is_file())
        yield from (one for one in found if not any(name.startswith(".") for name in one.relative_to(path).parts))
        return
    matching = [path] if path.exists() else [Path(one) for one in glob(data)]  # noqa: PTH207  may begin at the root
    yield from matching
    for folder in {one.parent for one in matching}:
        yield from (one for one in folder.iterdir() if one.is_file() and is_data(one))
