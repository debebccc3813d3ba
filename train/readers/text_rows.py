"""The rows of a delimited text, or of a block of its lines, once it is known how the text is written.

pyarrow reads all columns as strings, so that ids stay as they are in the file. It is fast but knows no line numbers.
If there is a fault, the slow csv module reads the text again to find the line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.csv

from model.vocabulary import counted
from train.errors import DataError
from train.readers.names import SHOWN_NAMES
from train.readers.quotes import Quoting, Record, records
from train.readers.table import BadLine, Table

_PYARROW_BYTES = 8 << 20  # of text that pyarrow parses at once
_STAND_INS = ("\x1f", "\x1e", "\x1d", "\t")  # one-byte delimiters for pyarrow; the first unused one


@dataclass(frozen=True)
class Written:
    """How a text is written.

    name: of the file, for messages. names: of its columns. delimiter: between fields, of one character or more.
    skip_bad_lines: whether lines with too few or too many fields are left out.
    """

    name: str
    names: Sequence[str]
    delimiter: str
    quoting: Quoting
    skip_bad_lines: bool


@dataclass(frozen=True)
class TextRows:
    """Rows of a text in UTF-8.

    delimiter: the one byte between fields of `body`. header: whether the first line names the columns.
    lines_before: how many lines of the file come before `body`.
    """

    written: Written
    body: bytes
    delimiter: str
    header: bool
    lines_before: int = 0

    def read(self, chosen: Sequence[str], sha256: str, locate: Callable[[int], str]) -> Table:
        """Reads these columns. Raises DataError if a line has too few or too many fields, or a quote is not closed.

        sha256, locate: of the table.
        """
        start = self._start()
        bad: list[BadLine] = []
        if start is not None:
            columns = self._parse(start, chosen, bad)
        else:
            columns = {name: pa.chunked_array([], type=pa.string()) for name in chosen}
        literal = self.written.quoting == "off" and b'"' in self.body
        return Table(self.written.name, sha256, columns, locate, False, tuple(bad), literal)

    @property
    def any(self) -> bool:
        """Whether there is a row, or a bad line."""
        return self._start() is not None

    def _start(self) -> int | None:
        """The byte from which on there are rows; None if there are none."""
        line = re.search(rb"[^\r\n]+", self.body)
        start = len(self.body) if line is None else line.end() if self.header else line.start()
        return start if re.compile(rb"[^\r\n]").search(self.body, start) else None

    def _parse(self, start: int, chosen: Sequence[str], bad: list[BadLine]) -> dict[str, pa.ChunkedArray]:
        """The chosen columns of the lines from byte `start` on, found by position, because names may repeat."""
        written, width = self.written, len(self.written.names)
        has_quotes = written.quoting != "off" and b'"' in self.body
        escaped = written.quoting == "backslash"
        keys = [str(written.names.index(name)) for name in chosen]
        try:
            table = pyarrow.csv.read_csv(
                pa.BufferReader(pa.py_buffer(self.body).slice(start)),
                pyarrow.csv.ReadOptions(column_names=[str(i) for i in range(width)], block_size=_PYARROW_BYTES),
                pyarrow.csv.ParseOptions(
                    delimiter=self.delimiter,
                    quote_char='"' if written.quoting != "off" else False,
                    escape_char="\\" if escaped else False,
                    newlines_in_values=has_quotes or escaped,
                    invalid_row_handler=(lambda _: "skip") if written.skip_bad_lines else None,
                ),
                pyarrow.csv.ConvertOptions(include_columns=keys, column_types=dict.fromkeys(keys, pa.string())),
            )
        except pa.ArrowException as error:
            self._explain()
            raise DataError(f"{written.name}: cannot be read: {error}") from None
        if (
            has_quotes and not escaped and self.body.count(b'"') % 2
        ):  # pyarrow accepts the end of the file as a closing quote
            self._explain()
        if written.skip_bad_lines:
            bad += self._uncut()
        return {name: table.column(key) for name, key in zip(chosen, keys, strict=True)}

    def _explain(self) -> None:
        """Raises the DataError that names the first faulty line, if the csv module finds one."""
        for record in self._records(strict=True):
            if len(record.fields) != len(self.written.names):
                raise DataError(self._wrong_width(record))

    def _uncut(self) -> list[BadLine]:
        width, found, rows = len(self.written.names), [], -int(self.header)
        for one in self._records():
            if len(one.fields) == width:
                rows += 1
            else:
                found.append(BadLine(max(rows, 0), self._wrong_width(one)))
        return found

    def _records(self, strict: bool = False) -> Iterator[Record]:
        written = self.written
        return records(written.name, self.body, self.delimiter, written.quoting, strict, self.lines_before)

    def _wrong_width(self, record: Record) -> str:
        name, names = self.written.name, self.written.names
        shape = self.written.delimiter.join(names[:SHOWN_NAMES])
        return f"{name}:{record.first}: {counted(len(record.fields), 'field')}; allowed are {len(names)}: {shape}"

    def locate(self, row: int) -> str:
        """The file and line of a row (0-based)."""
        wanted = row + self.header
        whole = (record for record in self._records() if len(record.fields) == len(self.written.names))
        for index, record in enumerate(whole):
            if index == wanted:
                return f"{self.written.name}:{record.first}"
        return f"{self.written.name}, row {row + 1}"


def by_one_byte(name: str, body: bytes, delimiter: str) -> tuple[bytes, str]:
    """The body with one byte between fields, and that byte. Raises DataError if all that may stand in are in use."""
    if len(delimiter.encode()) == 1:
        return body, delimiter
    for stand_in in _STAND_INS:
        if stand_in.encode() not in body:
            return body.replace(delimiter.encode(), stand_in.encode()), stand_in
    raise DataError(f"{name}: holds control characters; allowed is text with {delimiter!r} between fields")
