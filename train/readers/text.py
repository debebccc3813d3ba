"""Delimited text. A line with missing fields, or a missing column, is an error that names the line.

pyarrow reads all columns as strings, so that ids stay as they are in the file. It is fast but knows no line numbers.
If there is a fault, the slow csv module reads the file again to find the line.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import pyarrow as pa
import pyarrow.csv

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
from train.readers.names import SHOWN_NAMES, looks_like_header
from train.readers.quotes import Quoting, has_backslashes, line_of_text_after_quotes, quotes_are_text, records
from train.readers.rules import ReadingRules
from train.readers.source import Readable, Source
from train.readers.table import Table

_BLOCK_BYTES = 8 << 20
_STAND_INS = ("\x1f", "\x1e", "\x1d", "\t")  # one-byte delimiters for pyarrow; the first unused one


@dataclass(frozen=True)
class Layout:
    """How a published data set writes a file; None means that it is detected.

    names: the fields of a file without a header line; the last ones may be absent.
    quoted: "…" encloses a field.
    fewest: the fewest fields of a row; a delimiter that gives fewer is not considered.
    """

    delimiter: str | None = None
    names: tuple[str, ...] | None = None
    quoted: bool | None = None
    encoding: str | None = None
    fewest: int = 2


class TextFile:
    """A text file whose encoding, delimiter, header and quotes are known; `read` returns its columns."""

    def __init__(self, source: Readable, rules: ReadingRules, layout: Layout, reading: Reading) -> None:
        """Raises DataError if the file is empty, or not valid in the given encoding."""
        data = source.read()
        self.name, self._rules = source.name, rules
        self._again = partial(TextFile, source, rules, layout, Reading())
        self._sha256 = hashlib.sha256(data).hexdigest()
        decoded = decode(self.name, data, rules.encoding or layout.encoding)
        self._body, named = without_sep_line(decoded.body)
        lines = sample_lines(self._body)
        if not lines:
            raise DataError(f"{self.name}: the file is empty")
        shown = layout.delimiter or rules.field_delimiter or named
        if shown in (None, " ") and is_aligned(lines, layout.fewest):
            shown, self._body = " ", without_alignment(self._body)
            lines = sample_lines(self._body)
        shown = shown or find_delimiter(lines, layout.fewest, _asked(rules))
        self._shape, self._delimiter = shown, shown
        if len(shown.encode()) > 1:
            self._stand_in(shown)
        first = [field.strip() for field in fields(lines[0], shown)]
        self.header = layout.names is None and rules.header and looks_like_header(first, _asked(rules))
        self.names = first if self.header else self._numbered(first, layout.names)
        self._quoting, literal = self._find_quotes(layout.quoted, reading)
        self.described = self._describe(decoded)
        _tell_doubts(self.name, decoded, literal, reading)

    def read(self, chosen: Sequence[str]) -> Table:
        """Reads these columns. Raises DataError if a line has too few or too many fields, or a quote is not closed."""
        line = re.search(rb"[^\r\n]+", self._body)
        assert line is not None
        start = line.end() if self.header else line.start()
        bad: list[str] = []
        if re.compile(rb"[^\r\n]").search(self._body, start):
            columns = self._parse(start, chosen, bad)
        else:
            columns = {name: pa.chunked_array([], type=pa.string()) for name in chosen}
        literal = self._quoting == "off" and b'"' in self._body
        locate = partial(_locate, self._again)
        return Table(self.name, self._sha256, columns, locate, False, tuple(bad), literal)

    def _stand_in(self, delimiter: str) -> None:
        for stand_in in _STAND_INS:
            if stand_in.encode() not in self._body:
                self._body = self._body.replace(delimiter.encode(), stand_in.encode())
                self._delimiter = stand_in
                return
        told = "holds control characters; allowed is text with"
        raise DataError(f"{self.name}: {told} {delimiter!r} between fields")

    def _numbered(self, first: list[str], names: tuple[str, ...] | None) -> list[str]:
        if names is None:
            return [f"column {place}" for place in range(1, len(first) + 1)]
        if len(first) > len(names):
            shape = self._shape.join(names)
            raise DataError(f"{self.name}:1: {counted(len(first), 'field')}; allowed are {len(names)}: {shape}")
        return list(names[: len(first)])

    def _find_quotes(self, quoted: bool | None, reading: Reading) -> tuple[Quoting, int]:
        """How quotes enclose fields; and the line of the quote that shows that they do not, or 0."""
        if quoted is not None:
            return "on" if quoted else "off", 0
        if self._rules.quotes != "auto":
            return self._rules.quotes, 0
        if has_backslashes(self._body, self._delimiter, len(self.names)):
            return "backslash", 0
        literal = quotes_are_text(self.name, self._body, self._delimiter, len(self.names))
        line = 0 if literal else line_of_text_after_quotes(self._body, self._delimiter)
        if line:
            told = "text after a closing quote, so the quotes are left out: change this with --quotes"
            reading.warn(f"{self.name}:{line}: {told}")
        return "off" if literal else "on", literal

    def _describe(self, decoded: Decoded) -> str:
        header = "a header line" if self.header else "no header line"
        quotes = ", a backslash before quotes within fields" if self._quoting == "backslash" else ""
        return f"text in {decoded.encoding}, {delimiter_name(self._shape)} between fields, {header}{quotes}"

    def _parse(self, start: int, chosen: Sequence[str], bad: list[str]) -> dict[str, pa.ChunkedArray]:
        """The chosen columns of the lines from byte `start` on, found by position, because names may repeat."""
        has_quotes = self._quoting != "off" and b'"' in self._body
        escaped = self._quoting == "backslash"
        keys = [str(self.names.index(name)) for name in chosen]
        try:
            table = pyarrow.csv.read_csv(
                pa.BufferReader(pa.py_buffer(self._body).slice(start)),
                pyarrow.csv.ReadOptions(column_names=[str(i) for i in range(len(self.names))], block_size=_BLOCK_BYTES),
                pyarrow.csv.ParseOptions(
                    delimiter=self._delimiter,
                    quote_char='"' if self._quoting != "off" else False,
                    escape_char="\\" if escaped else False,
                    newlines_in_values=has_quotes or escaped,
                    invalid_row_handler=(lambda _: "skip") if self._rules.skip_bad_lines else None,
                ),
                pyarrow.csv.ConvertOptions(include_columns=keys, column_types=dict.fromkeys(keys, pa.string())),
            )
        except pa.ArrowException as error:
            self._explain()
            raise DataError(f"{self.name}: cannot be read: {error}") from None
        if (
            has_quotes and not escaped and self._body.count(b'"') % 2
        ):  # pyarrow accepts the end of the file as a closing quote
            self._explain()
        if self._rules.skip_bad_lines:
            bad += self._uncut()
        return {name: table.column(key) for name, key in zip(chosen, keys, strict=True)}

    def _explain(self) -> None:
        """Raises the DataError that names the first faulty line, if the csv module finds one."""
        for record in records(self.name, self._body, self._delimiter, self._quoting, strict=True):
            if len(record.fields) != len(self.names):
                raise DataError(self._wrong_width(record.first, record.fields))

    def _uncut(self) -> list[str]:
        found = records(self.name, self._body, self._delimiter, self._quoting)
        width = len(self.names)
        return [self._wrong_width(one.first, one.fields) for one in found if len(one.fields) != width]

    def _wrong_width(self, line: int, found: list[str]) -> str:
        shape = self._shape.join(self.names[:SHOWN_NAMES])
        return f"{self.name}:{line}: {counted(len(found), 'field')}; allowed are {len(self.names)}: {shape}"

    def locate(self, row: int) -> str:
        """The file and line of a row (0-based)."""
        wanted = row + self.header
        found = records(self.name, self._body, self._delimiter, self._quoting)
        whole = (record for record in found if len(record.fields) == len(self.names))
        for index, record in enumerate(whole):
            if index == wanted:
                return f"{self.name}:{record.first}"
        return f"{self.name}, row {row + 1}"


def first_lines(source: Source) -> list[str]:
    """The first lines of a text file in any encoding, to detect its format."""
    head = source.read(SAMPLE_BYTES)
    try:
        return sample_lines(without_sep_line(decode(source.name, head, None).body)[0])
    except DataError:  # reading the file reports it
        return sample_lines(head)


def _locate(opened: Callable[[], TextFile], row: int) -> str:
    """Names a row for an error. It reads the file again; keeping all bytes for a rare error would cost memory."""
    return opened().locate(row)


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
