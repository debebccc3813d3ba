"""Strict reading of delimited text: every line whole, every wanted column there, or an error with its line.

pyarrow reads all columns as strings, so that ids stay as the file has them. That path is fast and knows no
line numbers; the csv module goes over the file again, slowly, only to say where a fault lies.
"""

import csv
import hashlib
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.csv

from train.errors import DataError
from train.readers.table import SHOWN_NAMES, Table, choose_columns, read_bytes

_BOM = b"\xef\xbb\xbf"
_BLOCK_BYTES = 8 << 20
_STAND_INS = ("\x1f", "\x1e", "\x1d", "\t")  # pyarrow's delimiter is one byte: the first not in the file


@dataclass(frozen=True)
class Layout:
    """How a text file is written.

    delimiter: what lies between two fields, one character or more.
    names: the fields of a file that has no header line; trailing ones may be absent.
    quoted: "…" holds a field together.
    encoding: what the file is decoded from.
    """

    delimiter: str = ","
    names: tuple[str, ...] | None = None
    quoted: bool = True
    encoding: str = "utf-8"


@dataclass(frozen=True)
class _Text:
    """A file's text as UTF-8 without a byte order mark, its fields one character apart."""

    path: Path
    body: bytes
    delimiter: str
    layout: Layout

    def records(self, strict: bool) -> Iterator[tuple[int, list[str]]]:
        """(first line, fields) of every record that is not blank. Raises DataError on an unclosed quote."""
        lines = io.TextIOWrapper(io.BytesIO(self.body), encoding="utf-8", newline="")
        quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if self.layout.quoted else csv.QUOTE_NONE
        reader = csv.reader(lines, delimiter=self.delimiter, quoting=quoting, strict=strict)
        while True:
            line = reader.line_num + 1
            try:
                fields = next(reader, None)
            except csv.Error as error:
                raise DataError(f"{self.path.name}:{line}: a quote is not closed as it must be: {error}") from None
            if fields is None:
                return
            if fields:
                yield line, fields


def read_text(path: Path, wanted: Sequence[str], optional: Sequence[str] = (), layout: Layout = Layout()) -> Table:
    """Read the wanted columns, and the optional ones that are there, of a delimited text file.

    A byte order mark, CRLF, quoted fields and blank lines are read. Raises DataError on a missing or empty
    file, an encoding other than the layout's, a missing or doubled column, a line with too few or too many
    fields, and a quote that is never closed.
    """
    data = read_bytes(path)
    text = _text(path, data, layout)
    first = re.search(rb"[^\r\n]+", text.body)
    if first is None:
        raise DataError(f"{path.name}: the file is empty")
    names = _names(text, first.group())
    chosen = choose_columns(path.name, names, wanted, optional)
    start = first.end() if layout.names is None else first.start()
    if re.compile(rb"[^\r\n]").search(text.body, start):
        columns = _parse(text, start, names, chosen)
    else:
        columns = {name: pa.chunked_array([], type=pa.string()) for name in chosen}
    return Table(path, hashlib.sha256(data).hexdigest(), columns, lambda row: _locate(path, layout, row))


def header_names(path: Path, delimiter: str = ",") -> list[str]:
    """The fields of a text file's first line, to tell formats apart; an undecodable byte reads as U+FFFD."""
    try:
        with path.open(encoding="utf-8-sig", errors="replace") as lines:
            line = lines.readline(1 << 16)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from None
    return [name.strip() for name in line.replace('"', "").split(delimiter)]


def _text(path: Path, data: bytes, layout: Layout) -> _Text:
    if layout.encoding != "utf-8":
        data = data.decode(layout.encoding).encode()
    _check_text(path, data)
    body = data.removeprefix(_BOM)
    if len(layout.delimiter.encode()) == 1:
        return _Text(path, body, layout.delimiter, layout)
    for stand_in in _STAND_INS:
        if stand_in.encode() not in body:
            return _Text(path, body.replace(layout.delimiter.encode(), stand_in.encode()), stand_in, layout)
    raise DataError(f"{path.name}: holds control characters; allowed is text with {layout.delimiter!r} between fields")


def _check_text(path: Path, data: bytes) -> None:
    """Refuse what is not UTF-8, and NUL bytes: they are UTF-16, or an id that numpy's bytes cannot hold."""
    fault = data.find(b"\0")
    if not data.isascii():
        try:
            data.decode()
        except UnicodeDecodeError as error:
            fault = error.start
    if fault >= 0:
        line = data.count(b"\n", 0, fault) + 1
        raise DataError(
            f"{path.name}:{line}: byte 0x{data[fault]:02x} at offset {fault} is not text in UTF-8; "
            "allowed is UTF-8: save the file in that encoding"
        )


def _names(text: _Text, first_line: bytes) -> list[str]:
    _, fields = next(_Text(text.path, first_line, text.delimiter, text.layout).records(strict=False))
    known = text.layout.names
    if known is None:
        return [field.strip() for field in fields]
    if len(fields) > len(known):
        shape = text.layout.delimiter.join(known)
        raise DataError(f"{text.path.name}:1: {len(fields)} fields; allowed are {len(known)}: {shape}")
    return list(known[: len(fields)])


def _parse(text: _Text, start: int, names: list[str], chosen: list[str]) -> dict[str, pa.ChunkedArray]:
    """The chosen columns of the lines from byte `start` on, by position: other columns may have any name."""
    has_quotes = text.layout.quoted and b'"' in text.body
    keys = [str(names.index(name)) for name in chosen]
    try:
        table = pyarrow.csv.read_csv(
            pa.BufferReader(pa.py_buffer(text.body).slice(start)),
            pyarrow.csv.ReadOptions(column_names=[str(i) for i in range(len(names))], block_size=_BLOCK_BYTES),
            pyarrow.csv.ParseOptions(
                delimiter=text.delimiter,
                quote_char='"' if text.layout.quoted else False,
                newlines_in_values=has_quotes,
            ),
            pyarrow.csv.ConvertOptions(include_columns=keys, column_types=dict.fromkeys(keys, pa.string())),
        )
    except pa.ArrowException as error:
        _explain(text, names)
        raise DataError(f"{text.path.name}: cannot be read: {error}") from None
    if has_quotes and text.body.count(b'"') % 2:  # pyarrow takes the end of the file for a missing quote
        _explain(text, names)
    return {name: table.column(key) for name, key in zip(chosen, keys, strict=True)}


def _explain(text: _Text, names: list[str]) -> None:
    """Raise the DataError that names the first faulty line, if the csv module finds one."""
    for line, fields in text.records(strict=True):
        if len(fields) != len(names):
            shape = text.layout.delimiter.join(names[:SHOWN_NAMES])
            raise DataError(f"{text.path.name}:{line}: {len(fields)} fields; allowed are {len(names)}: {shape}")


def _locate(path: Path, layout: Layout, row: int) -> str:
    record = row if layout.names is not None else row + 1
    for index, (line, _) in enumerate(_text(path, read_bytes(path), layout).records(strict=False)):
        if index == record:
            return f"{path.name}:{line}"
    return f"{path.name}, row {row + 1}"
