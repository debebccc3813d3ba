"""Ratings a file at a time, a block of a large file of text, or a Parquet row group, so that no more is in memory.

Any process may read a file or a block.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from train.dataset.reading import Reading
from train.errors import DataError
from train.readers.blocks import Block, open_blocks
from train.readers.columns import Columns, Found
from train.readers.cutting import Cutter
from train.readers.opening import open_source
from train.readers.parquet import ParquetFile
from train.readers.plain import check_columns, choose_columns, chosen_names, tell_numbered, with_catalogue
from train.readers.rules import ReadingRules
from train.readers.source import Place, Source
from train.readers.table import Opened, Table
from train.readers.text import Layout


@dataclass(frozen=True)
class LaterBlock:
    """A block of a file after its first one. described: how the file is written, in words."""

    source: Source
    block: Block
    columns: Columns
    described: str

    def read(self) -> Iterator[Found]:
        """What it holds; nothing if it has no rows. Raises DataError, also WholeFileError."""
        table = self.block.read(chosen_names(self.columns))
        if table.num_rows or table.bad_lines:
            yield Found(self.source.path, table, self.columns, self.described)


@dataclass(frozen=True)
class LaterFile:
    """A file after the first one with rows. first: the name of the first file, whose columns it must have."""

    source: Source
    columns: Columns
    first: str

    def read(self, rules: ReadingRules, cutter: Cutter | None = None) -> Iterator[Found]:
        """What it holds, a block or row group at a time; nothing if it has no rows.

        cutter: None reads a file of text as a whole.
        Raises DataError, also WholeFileError.
        """
        opened, blocks = _open(self.source, rules, cutter, Reading())
        for table in _tables(opened, self.columns, self.first, bool(blocks)):
            yield Found(self.source.path, table, self.columns, opened.described)
        for block in blocks:
            yield from LaterBlock(self.source, block, self.columns, opened.described).read()


@dataclass(frozen=True)
class ByFile:
    """What the first file with rows holds: its first block or its row groups, of which the first has the catalogue; and
    its other blocks. And the later files.
    """

    first: Iterator[Found]
    blocks: Sequence[LaterBlock] = ()
    later: Sequence[LaterFile] = ()


def read_by_file(
    place: Place, sources: Sequence[Source], rules: ReadingRules, reading: Reading, cutter: Cutter | None
) -> ByFile:
    """Reads until the first row. cutter: None reads the first file of text as a whole.

    Raises DataError, also if no file has rows.
    """
    columns = None
    for number, source in enumerate(sources):
        opened, blocks = _open(source, rules, cutter, reading if columns is None else Reading())
        columns = columns or choose_columns(opened, rules, reading)
        tables = _tables(opened, columns, sources[0].name, bool(blocks))
        table = next(tables, None)
        if table is None:
            continue
        if not opened.header:
            tell_numbered(table, columns, rules, reading)
        found = with_catalogue(Found(source.path, table, columns, opened.described), place, sources, rules, reading)
        others = (Found(source.path, one, found.columns, found.described) for one in tables)
        return ByFile(
            first=chain([found], others),
            blocks=[LaterBlock(source, block, columns, opened.described) for block in blocks],
            later=[LaterFile(one, columns, sources[0].name) for one in sources[number + 1 :]],
        )
    where = sources[0].name if len(sources) == 1 else place.folder
    raise DataError(f"{where}: no ratings; the files end after their headers")


def _open(
    source: Source, rules: ReadingRules, cutter: Cutter | None, reading: Reading
) -> tuple[Opened, Sequence[Block]]:
    """A file, or its first block and the other ones."""
    found = open_blocks(source, rules, cutter) if cutter else None
    return found or (open_source(source, rules, Layout(fewest=3), reading), ())


def _tables(opened: Opened, columns: Columns, first: str, part: bool) -> Iterator[Table]:
    """The tables with rows. part: whether they are a block of a file."""
    chosen = chosen_names(columns)
    check_columns(opened, chosen, first)
    groups = opened.read_groups(chosen) if isinstance(opened, ParquetFile) else iter([opened.read(chosen)])
    return (replace(table, part=part) for table in groups if table.num_rows or table.bad_lines)
