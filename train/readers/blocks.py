"""A large file of text in blocks of whole lines, so that any process may read a block.

The first block shows how the file is written, and the others are read in the same way. If a block shows that the file
may be written in another way, it raises WholeFileError: then the whole file decides. So what is read is the same. Of
several faults, a reading in blocks tells one of the first faulty block.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

from train.dataset.reading import Reading
from train.readers.cutting import Cutter, Piece
from train.readers.dialect import without_alignment
from train.readers.encoding import is_utf8
from train.readers.json_lines import JsonFile, is_array
from train.readers.opening import is_json, is_parquet
from train.readers.quotes import are_plain, first_columns_of_numbers
from train.readers.rules import ReadingRules
from train.readers.source import Source
from train.readers.table import Opened, Table, WholeFileError
from train.readers.text import Layout, TextFile
from train.readers.text_rows import TextRows, Written, by_one_byte


class Block(Protocol):
    """A block after the first one."""

    @property
    def piece(self) -> Piece:
        """Where it lies."""
        ...

    def read(self, chosen: Sequence[str]) -> Table:
        """Reads these columns. Raises DataError, which names the line, also WholeFileError."""
        ...


class Blocks(NamedTuple):
    """A file: its first block, and the others."""

    first: Opened
    later: Sequence[Block]


def open_blocks(source: Source, rules: ReadingRules, cutter: Cutter) -> Blocks | None:
    """Opens a large file of text in blocks; None if it is small, or only the whole file shows how it is written.

    Raises:
        DataError: the file cannot be read.
        OSError: there is no room to unpack it.
    """
    if is_parquet(source, rules) or rules.quotes == "backslash":
        return None
    of_json = is_json(source, rules)
    pieces = cutter.cut(source, rules.encoding, quoted=not of_json and rules.quotes != "off")
    if not pieces:
        return None
    return _json_blocks(pieces, replace(rules, encoding="utf-8")) if of_json else _text_blocks(pieces, rules)


def _text_blocks(pieces: list[Piece], rules: ReadingRules) -> Blocks | None:
    told = Reading()
    first = TextFile(pieces[0], rules, Layout(fewest=3, recoded=pieces[0].recoded), told)
    rows = first.rows
    numbers = first_columns_of_numbers(rows.body, rows.delimiter, len(first.names))
    if told.warnings or not rows.any or not _has_plain_quotes(rows, numbers):
        return None
    return Blocks(first, [TextBlock(one, rows.written, first.aligned, numbers) for one in pieces[1:]])


@dataclass(frozen=True)
class TextBlock:
    """A `Block` of delimited text. aligned, numbers: see TextFile and are_plain."""

    piece: Piece
    written: Written
    aligned: bool
    numbers: frozenset[int]

    def read(self, chosen: Sequence[str]) -> Table:
        """See `Block`."""
        return replace(self._rows().read(chosen, "", self.locate), part=True)

    def locate(self, row: int) -> str:
        """The file and line of a row of the block (0-based)."""
        return self._rows().locate(row)

    def _rows(self) -> TextRows:
        body, written = self.piece.read(), self.written
        if not is_utf8(body):
            raise WholeFileError(f"{written.name}: may not be UTF-8")
        body = without_alignment(body) if self.aligned else body
        body, delimiter = by_one_byte(written.name, body, written.delimiter)
        rows = TextRows(written, body, delimiter, header=False, lines_before=self.piece.cut.lines_before)
        if not _has_plain_quotes(rows, self.numbers):
            raise WholeFileError(f"{written.name}: quotes or backslashes whose meaning depends on other lines")
        return rows


def _has_plain_quotes(rows: TextRows, numbers: frozenset[int]) -> bool:
    """Whether quotes are written as the first block shows, whatever the others hold."""
    written = rows.written
    return written.quoting == "off" or are_plain(rows.body, rows.delimiter, len(written.names), numbers)


def _json_blocks(pieces: list[Piece], rules: ReadingRules) -> Blocks | None:
    if is_array(pieces[0].read()):
        return None
    try:
        first = JsonFile(pieces[0], rules, lines_before=0)
    except WholeFileError:
        return None
    return Blocks(first, [JsonBlock(one, rules) for one in pieces[1:]]) if first.shows_names else None


@dataclass(frozen=True)
class JsonBlock:
    """A `Block` of JSON Lines."""

    piece: Piece
    rules: ReadingRules

    def read(self, chosen: Sequence[str]) -> Table:
        """See `Block`."""
        opened = JsonFile(self.piece, self.rules, self.piece.cut.lines_before)
        return replace(opened.read(chosen), part=True)
