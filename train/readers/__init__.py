"""Ratings files in, RatingsData out: which format lies there, and the reader for it."""

from pathlib import Path

from train.dataset.data import RatingsData
from train.errors import DataError
from train.readers import kmrd, movielens
from train.readers.plain import TEXT_SUFFIXES, Columns, is_parquet, read_plain
from train.readers.text import header_names

__all__ = ["FORMATS", "Columns", "DataError", "detect_format", "load_ratings"]

# The layouts of published data sets, each with its own files and columns.
DATA_SETS = {"kmrd": kmrd.read_kmrd, "movielens": movielens.read_movielens}
FORMATS = (*DATA_SETS, "csv", "parquet")


def load_ratings(
    path: str | Path,
    format: str | None = None,
    *,
    columns: Columns | None = None,
    rating_scale: tuple[float, float] | None = None,
    delimiter: str | None = None,
    movies: str | Path | None = None,
) -> RatingsData:
    """Read the ratings of a folder or file, and the catalogue where there is one.

    format: one of FORMATS; None or "auto" looks at what lies there.
    columns, delimiter, movies (a file of movies): for csv and parquet only, see train.readers.plain.
    rating_scale: (minimum, maximum) that every rating must keep to; None takes what the data holds.
    Raises DataError, which names file, line, what was got and what is allowed.
    """
    path = Path(path)
    if not path.exists():
        raise DataError(f"{path}: no such file or folder")
    columns = columns or Columns()
    own_layout = columns != Columns() or delimiter is not None or movies is not None
    if format is None or format == "auto":
        format = _plain_format(path) if own_layout and path.is_file() else detect_format(path)
    if format not in FORMATS:
        raise DataError(f'format: got "{format}"; allowed are {", ".join(FORMATS)}')
    if format in DATA_SETS:
        if own_layout:
            raise DataError(f"columns, delimiter and movies are for csv and parquet; got them for {format}")
        return DATA_SETS[format](path, rating_scale)
    if path.is_dir():
        raise DataError(f"{path}: is a folder; allowed for format {format} is a file")
    movies_path = None if movies is None else Path(movies)
    return read_plain(path, format == "parquet", rating_scale, columns, delimiter, movies_path)


def detect_format(path: str | Path) -> str:
    """The one of FORMATS that a folder's file names, or a file's name and first line, tell.

    Raises DataError, which lists what was looked for, if they tell none.
    """
    path = Path(path)
    if path.is_dir():
        return _folder_format(path)
    if is_parquet(path):
        return "parquet"
    names = set(header_names(path))
    if names.issuperset(kmrd.RATINGS_HEADER):
        return "kmrd"
    if names.issuperset(movielens.RATINGS_HEADER) or path.suffix == ".dat" or path.name == "u.data":
        return "movielens"
    if path.suffix.lower() in TEXT_SUFFIXES:
        return "csv"
    raise DataError(f"{path.name}: its name tells no format; give one of {', '.join(FORMATS)}")


def _folder_format(folder: Path) -> str:
    if (folder / kmrd.RATINGS_FILE).exists():
        return "kmrd"
    if any((folder / name).exists() for name in movielens.RATINGS_FILES):
        return "movielens"
    looked_for = ", ".join((kmrd.RATINGS_FILE, *movielens.RATINGS_FILES))
    raise DataError(f"{folder}: no ratings in this folder; looked for {looked_for}; any other file: give its path")


def _plain_format(path: Path) -> str:
    return "parquet" if is_parquet(path) else "csv"
