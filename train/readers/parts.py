"""Find the ratings files and the catalogue in a folder."""

from __future__ import annotations

from collections.abc import Sequence

from model.vocabulary import counted
from train.dataset.reading import Reading, listed
from train.errors import DataError
from train.readers.source import DATA_SUFFIXES, Place, Source

RATINGS_STEMS = ("ratings", "rating", "rates", "reviews", "interactions")
CATALOGUE_STEMS = (
    "movies",
    "movie",
    "items",
    "item",
    "films",
    "products",
    "books",
    "catalogue",
    "catalog",
    "titles",
    "anime",
)
_WORDS = ("readme", "license", "licence", "changelog")
_SHOWN = 5  # files, in an error


def ratings_in(place: Place, reading: Reading) -> list[Source]:
    """The one file of ratings, or its parts, sorted by name. Raises DataError if the choice is not clear."""
    if place.source is not None:
        return [place.source]
    files = place.all()
    files = [source for source in files if not source.stem.startswith(_WORDS)]
    files = [source for source in files if source.path.parent == place.folder] or files  # or: folders contain the parts
    named = [source for source in files if source.stem in RATINGS_STEMS]
    named = named or [source for source in files if "rating" in source.stem]
    parts = named or [source for source in files if source.stem not in CATALOGUE_STEMS]
    if not parts:
        raise DataError(f"{place.folder}: no ratings here; allowed are files such as ratings.csv, rates.csv or parts")
    if len(named) > 1 or len({source.suffix for source in parts}) > 1:
        shown = [source.plain_name for source in parts[:_SHOWN]]
        found = listed([*shown, *([f"{len(parts) - _SHOWN:,} more"] if len(parts) > _SHOWN else [])])
        raise DataError(f"{place.folder}: which of its files are the ratings? Found {found}; give the path of one file")
    deeper = [source for source in place.all() if source not in files and source.suffix == parts[0].suffix]
    if deeper:
        told = f"{counted(len(deeper), 'file')} in subfolders left out, {deeper[0].path} the first"
        reading.warn(f"{place.folder}: {told}: if all are parts of one table, put them into one folder")
    return parts


def catalogue_beside(place: Place, ratings: Sequence[Source], reading: Reading) -> Source | None:
    """The catalogue beside the ratings, by its name.

    If the ratings file has no usual name, the catalogue may belong to other data, so it is only reported.
    """
    found = _named_as_catalogue(place, ratings)
    if found is None or place.source is None or place.source.stem in RATINGS_STEMS:
        return found
    told = f"{found.name} lies beside {place.source.name} and is not used: --movies {found.path} reads it"
    reading.warn(f"{told}; only beside ratings.csv and similar names is a catalogue read automatically")
    return None


def _named_as_catalogue(place: Place, ratings: Sequence[Source]) -> Source | None:
    if place.folder.is_dir() and len(ratings) == 1:
        place = Place(ratings[0].path.parent)
    for stem in CATALOGUE_STEMS:
        for suffix in DATA_SUFFIXES:
            source = place.find(stem + suffix)
            if source is not None and source not in ratings:
                return source
    return None
