"""Read ratings files and databases into RatingsData: detect the format and choose the reader for it."""

from __future__ import annotations

from collections.abc import Callable
from glob import glob, has_magic
from pathlib import Path
from typing import get_args, get_type_hints

from train.dataset.data import RatingsData
from train.dataset.reading import Reading
from train.errors import DataError
from train.readers import kmrd, movielens, netflix
from train.readers.address import is_database, is_object_store
from train.readers.by_file import ByFile, read_by_file
from train.readers.columns import Found, ratings_data
from train.readers.cutting import Cutter
from train.readers.dialect import fields, find_delimiter
from train.readers.from_database import read_database
from train.readers.object_store import is_pattern_in_store, match_in_store, place_in_store
from train.readers.parts import ratings_in
from train.readers.plain import read_files, read_plain
from train.readers.rules import ReadingRules
from train.readers.source import DATA_SUFFIXES, JSON_SUFFIXES, PARQUET_SUFFIXES, Place, Source, is_data
from train.readers.text import first_lines

__all__ = ["FORMATS", "DataError", "ReadingRules", "detect_format", "load_ratings"]

AS_FOUND = ReadingRules()
# The layouts of published data sets, each with its own files and columns.
DATA_SETS: dict[str, Callable[[Place, ReadingRules, Reading], Found]] = {
    "kmrd": kmrd.read_kmrd,
    "movielens": movielens.read_movielens,
    "netflix": netflix.read_netflix,
}
FORMATS = (*DATA_SETS, "csv", "parquet", "jsonl")


def load_ratings(
    path: str | Path, rules: ReadingRules = AS_FOUND, rating_scale: tuple[float, float] | None = None
) -> RatingsData:
    """Read the ratings of a folder, file, object store or database, and the catalogue if there is one.

    path: it may also be a pattern of files, such as `parts/*.csv`.

    rating_scale: (minimum, maximum) of all allowed ratings; None takes the scale from the data.
    Raises DataError, which names file, line, what was got and what is allowed.
    """
    reading = Reading(words=rules.words)
    if is_database(path):
        return ratings_data(read_database(path, rules, reading), rules, rating_scale, reading)
    if _is_pattern(str(path)):
        return ratings_data(read_files(*_matching(str(path)), rules, reading), rules, rating_scale, reading)
    place, format = _placed(path, rules, reading)
    found = DATA_SETS.get(format, read_plain)(place, rules, reading)
    return ratings_data(found, rules, rating_scale, reading)


def open_by_file(path: str | Path, rules: ReadingRules, reading: Reading, cutter: Cutter | None = None) -> ByFile:
    """Opens a folder, a file, files by a pattern (`parts/*.csv`) or an object store, to be read a file at a time. A
    published data set comes in one piece.

    cutter: cuts the first file, if it is a large text file.
    Raises DataError, which names file and line.
    """
    if is_database(path):
        raise DataError(f"{path}: a database is not read in parts; allowed are files, folders and object stores")
    if _is_pattern(str(path)):
        return read_by_file(*_matching(str(path)), rules, reading, cutter)
    place, format = _placed(path, rules, reading)
    if format in DATA_SETS:
        return ByFile(iter([DATA_SETS[format](place, rules, reading)]))
    return read_by_file(place, ratings_in(place, reading), rules, reading, cutter)


def _is_pattern(path: str) -> bool:
    """Whether it stands for several files; a file or folder may have such a name too."""
    return is_pattern_in_store(path) or (has_magic(path) and not is_object_store(path) and not Path(path).exists())


def _matching(pattern: str) -> tuple[Place, list[Source]]:
    """Where the first file of data that a pattern matches lies, and all that it matches."""
    if is_object_store(pattern):
        place, found = match_in_store(pattern)
    else:
        paths = map(Path, sorted(glob(pattern)))  # noqa: PTH207  a pattern may begin at the root
        found = [Source(path) for path in paths if path.is_file() and is_data(path)]
        place = Place(found[0].path.parent if found else Path())
    if not found:
        shown = pattern.partition("?")[0] if is_object_store(pattern) else pattern
        raise DataError(f"{shown}: matches no file of data; allowed are names ending in {', '.join(DATA_SUFFIXES)}")
    return place, found


def _placed(path: str | Path, rules: ReadingRules, reading: Reading) -> tuple[Place, str]:
    """Where the ratings lie, and their format."""
    if rules.asks_a_database:
        raise DataError(f"{path}: --query, --table, --movies-query and --since are only for databases; this is not one")
    place = place_in_store(str(path), reading) if is_object_store(path) else Place.at(Path(path))
    if rules.format not in ("auto", *FORMATS):
        raise DataError(f'format: got "{rules.format}"; allowed are {", ".join(FORMATS)}')
    format = rules.format if rules.format != "auto" else _detect(place, rules.names_a_layout)
    if format in DATA_SETS and rules.names_a_layout:
        raise DataError(f"columns, delimiter and movies are for csv, parquet and jsonl; got them for {format}")
    return place, format


def detect_format(path: str | Path) -> str:
    """Detects which of FORMATS a folder or file has, from the files' names and first lines.

    Raises DataError, which lists the known formats, if it cannot tell.
    """
    return _detect(Place.at(Path(path)), own_layout=False)


def _detect(place: Place, own_layout: bool) -> str:
    if place.source is None:
        return _folder_format(place)
    if place.source.suffix in PARQUET_SUFFIXES:
        return "parquet"
    if place.source.suffix in JSON_SUFFIXES:
        return "jsonl"
    if place.source.suffix not in DATA_SUFFIXES:
        allowed = f"{', '.join(DATA_SUFFIXES)}, each optionally with .gz, .bz2, .xz or .zip"
        raise DataError(f"{place.source.name}: its name does not show its format; allowed are {allowed}")
    if own_layout:
        return "csv"
    return _text_format(place.source.plain_name, first_lines(place.source))


def _text_format(name: str, lines: list[str]) -> str:
    names = {field.strip() for field in fields(lines[0], ",")} if lines else set()
    if names.issuperset(kmrd.RATINGS_HEADER):
        return "kmrd"
    if lines and netflix.begins_as_netflix(lines[0]):
        return "netflix"
    headerless = name.endswith(".dat") and find_delimiter(lines, 3) == "::"
    if names.issuperset(movielens.RATINGS_HEADER) or headerless or name == "u.data":
        return "movielens"
    return "csv"


def _folder_format(place: Place) -> str:
    if place.find(kmrd.RATINGS_FILE) is not None:
        return "kmrd"
    if any(place.find(name) is not None for name in movielens.HEADERLESS_FILES):
        return "movielens"
    if netflix.netflix_files(place):
        return "netflix"
    return "csv"


if set(get_args(get_type_hints(ReadingRules)["format"])) != {"auto", *FORMATS}:
    raise TypeError(f"ReadingRules.format: expected auto and {', '.join(FORMATS)}")
