"""Delimited text. A line with missing fields, or a missing column, is an error that names the line.

This finds out how a file is written; text_rows.py reads its rows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

from model.vocabulary import counted
from train.dataset.reading import Reading
from train.errors import DataError
from train.readers.dialect import (
    SAMPLE_BYTES,
    delimiter_name,
    fields,
    find_delimiter,
    is_aligned,
    sample_lines,
    without_alignment,
    without_sep_line,
)
from train.readers.encoding import Decoded, decode
from train.readers.names import looks_like_header
from train.readers.quotes import Quoting, has_backslashes, line_of_text_after_quotes, quotes_are_text
from train.readers.rules import ReadingRules
from train.readers.source import Readable, Source
from train.readers.table import Table
from train.readers.text_rows import TextRows, Written, by_one_byte


@dataclass(frozen=True)
class Layout:
    """How a published data set writes a file; None means that it is detected.

    names: the fields of a file without a header line; the last ones may be absent.
    quoted: "…" encloses a field.
    fewest: the fewest fields of a row; a delimiter that gives fewer is not considered.
    recoded: the encoding of the file, if the source gives it in UTF-8.
    """

    delimiter: str | None = None
    names: tuple[str, ...] | None = None
    quoted: bool | None = None
    encoding: str | None = None
    fewest: int = 2
    recoded: str | None = None


class TextFile:
    """A text file whose encoding, delimiter, header and quotes are known; `read` returns its columns.

    aligned: whether runs of blanks align the columns.
    """

    def __init__(self, source: Readable, rules: ReadingRules, layout: Layout, reading: Reading) -> None:
        """Raises DataError if the file is empty, or not valid in the given encoding."""
        data = source.read()
        self.name = source.name
        self._again = partial(TextFile, source, rules, layout, Reading())
        self._sha256 = hashlib.sha256(data).hexdigest()
        if layout.recoded is None:
            decoded = decode(self.name, data, rules.encoding or layout.encoding)
        else:
            decoded = replace(decode(self.name, data, "utf-8"), encoding=layout.recoded)
        body, named = without_sep_line(decoded.body)
        lines = sample_lines(body)
        if not lines:
            raise DataError(f"{self.name}: the file is empty")
        shown = layout.delimiter or rules.field_delimiter or named
        self.aligned = shown in (None, " ") and is_aligned(lines, layout.fewest)
        if self.aligned:
            shown, body = " ", without_alignment(body)
            lines = sample_lines(body)
        shown = shown or find_delimiter(lines, layout.fewest, _asked(rules))
        body, delimiter = by_one_byte(self.name, body, shown)
        first = [field.strip() for field in fields(lines[0], shown)]
        self.header = layout.names is None and rules.header and looks_like_header(first, _asked(rules))
        self.names = first if self.header else self._numbered(first, layout.names, shown)
        asked = rules.quotes if layout.quoted is None else "on" if layout.quoted else "off"
        quoting, literal = _find_quotes(self.name, body, delimiter, len(self.names), asked, reading)
        written = Written(self.name, self.names, shown, quoting, bool(rules.skip_bad_lines))
        self.rows = TextRows(written, body, delimiter, self.header)
        self.described = self._describe(decoded)
        _tell_doubts(self.name, decoded, literal, reading)

    def read(self, chosen: Sequence[str]) -> Table:
        """Reads these columns. Raises DataError if a line has too few or too many fields, or a quote is not closed."""
        return self.rows.read(chosen, self._sha256, partial(_locate, self._again))

    def _numbered(self, first: list[str], names: tuple[str, ...] | None, delimiter: str) -> list[str]:
        if names is None:
            return [f"column {place}" for place in range(1, len(first) + 1)]
        if len(first) > len(names):
            shape = delimiter.join(names)
            raise DataError(f"{self.name}:1: {counted(len(first), 'field')}; allowed are {len(names)}: {shape}")
        return list(names[: len(first)])

    def _describe(self, decoded: Decoded) -> str:
        header = "a header line" if self.header else "no header line"
        written = self.rows.written
        quotes = ", a backslash before quotes within fields" if written.quoting == "backslash" else ""
        return f"text in {decoded.encoding}, {delimiter_name(written.delimiter)} between fields, {header}{quotes}"


def _find_quotes(
    name: str, body: bytes, delimiter: str, width: int, asked: Literal["auto"] | Quoting, reading: Reading
) -> tuple[Quoting, int]:
    """How quotes enclose fields; and the line of the quote that shows that they do not, or 0."""
    if asked != "auto":
        return asked, 0
    if has_backslashes(body, delimiter, width):
        return "backslash", 0
    literal = quotes_are_text(name, body, delimiter, width)
    line = 0 if literal else line_of_text_after_quotes(body, delimiter)
    if line:
        told = "text after a closing quote, so the quotes are left out: change this with --quotes"
        reading.warn(f"{name}:{line}: {told}")
    return "off" if literal else "on", literal


def first_lines(source: Source) -> list[str]:
    """The first lines of a text file in any encoding, to detect its format."""
    head = source.read(SAMPLE_BYTES)
    try:
        return sample_lines(without_sep_line(decode(source.name, head, None).body)[0])
    except DataError:  # reading the file reports it
        return sample_lines(head)


def _locate(opened: Callable[[], TextFile], row: int) -> str:
    """Names a row for an error. It reads the file again; keeping all bytes for a rare error would cost memory."""
    return opened().rows.locate(row)


def _asked(rules: ReadingRules) -> list[str | None]:
    catalogue = [rules.title_column, rules.genres_column, rules.year_column]
    return [rules.user_column, rules.movie_column, rules.rating_column, rules.time_column, *catalogue]


def _tell_doubts(name: str, decoded: Decoded, literal: int, reading: Reading) -> None:
    if decoded.guess:
        told = f"is not UTF-8; it is read as {decoded.encoding}, which is a guess: name the encoding with --encoding"
        reading.warn(f"{name}:{decoded.guess}: {told}")
    if literal:
        told = "a quote opens a field and does not close it, so quotes count as characters: --quotes on changes this"
        reading.warn(f"{name}:{literal}: {told}")
