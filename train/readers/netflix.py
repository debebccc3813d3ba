"""The Netflix Prize: files of ratings, grouped by movie. A line with the movie's id and a colon begins each group.

    combined_data_1.txt, mv_0000001.txt   1:                  movie_titles.csv   movie,year,title
                                          1488844,3,2005-09-06
                                          822109,5,2005-05-13

The titles are Latin-1, not quoted, and may hold commas.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from model.vocabulary import counted
from train.dataset.data import TITLE, YEAR
from train.dataset.reading import Reading
from train.errors import DataError
from train.readers.catalogue import Catalogue
from train.readers.columns import Columns, Found
from train.readers.encoding import decode
from train.readers.rules import ReadingRules
from train.readers.source import Place, Source
from train.readers.table import Table, joined
from train.readers.text import Layout, TextFile

TITLES_FILE = "movie_titles.csv"
_RATINGS_NAME = re.compile(r"^(combined_data_\d+|mv_\d+)\.txt$")
_MOVIE_LINE = re.compile(rb"^(\d+):(?=\r?$)", re.MULTILINE)
_LINE = re.compile(rb"[^\r\n]+")
_COLUMNS = Columns("user", "movie", "rating", "date")


def begins_as_netflix(line: str) -> bool:
    """Whether a first line is `1:`."""
    return re.fullmatch(r"\d+:", line.strip()) is not None


def netflix_files(place: Place) -> list[Source]:
    """The files of ratings in a folder or archive, by name."""
    return [source for source in place.all() if _RATINGS_NAME.match(source.plain_name)]


def read_netflix(place: Place, rules: ReadingRules, reading: Reading) -> Found:
    """Read one file of ratings, or a folder of them. Raises DataError."""
    sources = [place.source] if place.source is not None else netflix_files(place)
    if not sources:
        raise DataError(f"{place.folder}: no combined_data_1.txt or mv_0000001.txt in this folder")
    tables = [_read_file(source, rules, reading) for source in sources]
    digests = "".join(table.sha256 for table in tables)
    sha256 = tables[0].sha256 if len(tables) == 1 else hashlib.sha256(digests.encode()).hexdigest()
    path = sources[0].path if len(sources) == 1 else place.folder
    described = f"Netflix Prize, {counted(len(sources), 'file')}"
    titles = place.find(TITLES_FILE) if rules.catalogue else None
    catalogue = None if titles is None else _read_titles(titles, rules)
    return Found(path, joined(tables, sha256), _COLUMNS, described, catalogue, TITLES_FILE)


@dataclass(frozen=True)
class _Rows:
    """A file in which a blank line replaces each movie's line, so that every rating keeps its line number."""

    name: str
    source: Source

    def read(self) -> bytes:
        return _MOVIE_LINE.sub(b"", self.source.read())


def _read_file(source: Source, rules: ReadingRules, reading: Reading) -> Table:
    body = source.read()
    heads = list(_MOVIE_LINE.finditer(body))
    if not heads or heads[0].start() != 0:
        raise DataError(f"{source.name}:1: no movie; allowed is its id and a colon, as 1:")
    layout = Layout(",", ("user", "rating", "date"), quoted=False)
    ratings = TextFile(_Rows(source.name, source), rules, layout, reading)
    table = ratings.read(ratings.names)
    ends = [head.start() for head in heads[1:]] + [len(body)]
    counts = [len(_LINE.findall(body, head.end(), end)) for head, end in zip(heads, ends, strict=True)]
    if table.num_rows != sum(counts):
        first = table.bad_lines[0].told
        raise DataError(f"{source.name}: bad lines cannot be left out of this format: correct {first}")
    movies = pa.DictionaryArray.from_arrays(
        np.repeat(np.arange(len(heads)), counts), pa.array([head.group(1).decode() for head in heads])
    )
    columns = {**table.columns, "movie": pa.chunked_array([movies.cast(pa.string())])}
    return replace(table, sha256=hashlib.sha256(body).hexdigest(), columns=columns)


def _read_titles(source: Source, rules: ReadingRules) -> Catalogue:
    decoded = decode(source.name, source.read(), rules.encoding or "latin-1")
    catalogue: Catalogue = {}
    for number, line in enumerate(decoded.body.decode().splitlines(), 1):
        fields = line.split(",", 2)
        if len(fields) < 3:
            raise DataError(f"{source.name}:{number}: {counted(len(fields), 'field')}; allowed are 3: movie,year,title")
        year = int(fields[1]) if fields[1].isdecimal() else None
        catalogue.setdefault(fields[0].strip(), {TITLE: fields[2].strip() or None, YEAR: year})
    return catalogue
