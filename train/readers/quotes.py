"""Decide whether "…" encloses a field in a text file, or a quote is an ordinary character.

A quote inside such a field is written twice. If only backslashes before quotes split every line correctly, they are
used instead.

If a quote opens a field and closes many lines later, all these lines become one row, without an error. So each field
that crosses a line end is checked. Swallowed rows each split into as many fields as a row. In a genuine note, the
first line lacks the fields after the note, or the last line lacks the fields before it.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from train.errors import DataError
from train.readers.dialect import SAMPLE_BYTES, fields
from train.readers.names import is_number

Quoting = Literal["on", "backslash", "off"]
QUOTES_OFF = "if quotes are ordinary characters here, give --quotes off"
_SAMPLE_LINES = 50


@dataclass(frozen=True)
class Record:
    """One record: its first and last line, from 1, and its fields."""

    first: int
    last: int
    fields: list[str]


def records(
    name: str, body: bytes, delimiter: str, quoting: Quoting, strict: bool = False, lines_before: int = 0
) -> Iterator[Record]:
    """Every record that is not blank. lines_before: how many lines of the file come before `body`.

    Raises DataError if a field is longer than the csv module's limit, and, if strict, if a quote is not closed
    correctly.
    """
    reader = _reader(body, delimiter, quoting, strict)
    while True:
        first = lines_before + reader.line_num + 1
        try:
            fields = next(reader, None)
        except csv.Error as error:
            raise DataError(f"{name}:{first}: a quote is not closed correctly: {error}; {QUOTES_OFF}") from None
        if fields is None:
            return
        if fields:
            yield Record(first, lines_before + reader.line_num, fields)


def _reader(body: bytes, delimiter: str, quoting: Quoting, strict: bool) -> Any:
    lines = io.TextIOWrapper(io.BytesIO(body), encoding="utf-8", newline="")
    kind: Literal[0, 3] = csv.QUOTE_NONE if quoting == "off" else csv.QUOTE_MINIMAL
    escape = "\\" if quoting == "backslash" else None
    return csv.reader(lines, delimiter=delimiter, quoting=kind, strict=strict, escapechar=escape)


def has_backslashes(body: bytes, delimiter: str, width: int) -> bool:
    """Whether backslashes escape quotes or delimiters in fields: only then do all rows have `width` fields."""
    if not _may_escape(body, delimiter):
        return False
    faults = (_first_fault(body, delimiter, width, quoting, strict=True) for quoting in ("on", "backslash"))
    return next(faults) is not None and next(faults) is None


def _may_escape(body: bytes, delimiter: str) -> bool:
    return b"\\" in body and (b'\\"' in body or b"\\" + delimiter.encode() in body)


def are_plain(body: bytes, delimiter: str, width: int, numbers: frozenset[int]) -> bool:
    """Whether quotes enclose fields in whole records of a block of lines, beyond any doubt.

    If all blocks before it are plain, a block begins outside of quotes. So each block can be judged alone.

    numbers: the `first_columns_of_numbers` of the file.
    """
    if _may_escape(body, delimiter):  # which a fault in another block would explain
        return False
    if b'"' not in body or _only_names_have_quotes(body, delimiter, width):
        return True
    if line_of_text_after_quotes(body, delimiter):
        return False
    lines: list[str] = []
    for record in _wide_records(_reader(body, delimiter, "on", strict=True), width):
        lines = lines or _lines(body)
        own = lines[record.first - 1 : record.last]
        bad_line = len(own) == 1 and record.fields and own[0].count(delimiter) != width - 1
        if len(record.fields) == width and not all(_looks_like_a_row(one, delimiter, width, numbers) for one in own):
            continue
        if not bad_line:
            return False
    return True


def quotes_are_text(name: str, body: bytes, delimiter: str, width: int) -> int:
    """The line of the first quote that must be an ordinary character, or 0 if quotes enclose fields.

    width: the number of fields of a row. Raises DataError if a quote swallows rows, but the file cannot be read with
    quotes as ordinary characters either.
    """
    if b'"' not in body or _only_names_have_quotes(body, delimiter, width):
        return 0
    faulty = _first_fault(body, delimiter, width, "on")
    line = faulty.first if faulty is not None else line_of_text_after_quotes(body, delimiter)
    if not line and body.count(b'"') % 2:
        line = len(_lines(body[: body.index(b'"')]))
    if line and all(one.count(delimiter) == width - 1 for one in _lines(body) if one):
        return line
    if faulty is None:
        return 0
    if faulty.last > faulty.first and len(faulty.fields) == width:
        told = f"a quote opens here and is closed in line {faulty.last}, and the lines between look like rows"
        raise DataError(f"{name}:{faulty.first}: {told}; double a quote inside a field, or {QUOTES_OFF}")
    return 0  # reading reports a row with another number of fields


def _only_names_have_quotes(body: bytes, delimiter: str, width: int) -> bool:
    """Whether no quote follows the first line, whose quotes enclose fields: many programs quote the names alone."""
    names = re.match(rb"[\r\n]*[^\r\n]*", body)
    assert names is not None
    if body.find(b'"', names.end()) >= 0 or names[0].count(b'"') % 2:
        return False
    return _first_fault(names[0], delimiter, width, "on", strict=True) is None


def line_of_text_after_quotes(body: bytes, delimiter: str) -> int:
    """The first line with a field such as "Weird Al" Yankovic, which would lose its quotes; 0 if there is none."""
    apart = re.escape(delimiter.encode())
    inner = re.compile(rb'"(?<=[^"\r\n%s]")(?=[^"\r\n%s])' % (apart, apart))  # a quick filter: few lines match
    field = re.compile(rb'(?:^|%s)"(?:[^"]|"")*"[^"%s]' % (apart, apart))
    for found in inner.finditer(body):
        line = _line_around(body, found.start())
        if field.search(line):
            return len(_lines(body[: found.start()]))
    return 0


def _line_around(body: bytes, place: int) -> bytes:
    first = max(body.rfind(b"\n", 0, place), body.rfind(b"\r", 0, place)) + 1
    ends = [end for end in (body.find(b"\n", place), body.find(b"\r", place)) if end >= 0]
    return body[first : min(ends, default=len(body))]


def _lines(body: bytes) -> list[str]:
    return body.replace(b"\r\n", b"\n").replace(b"\r", b"\n").decode().split("\n")


def _first_fault(body: bytes, delimiter: str, width: int, quoting: Quoting, strict: bool = False) -> Record | None:
    """The first record with another number of fields, or that crosses a line end which looks like the end of a row."""
    lines: list[str] = []
    numbers: frozenset[int] = frozenset()
    for record in _wide_records(_reader(body, delimiter, quoting, strict), width):
        if len(record.fields) != width:
            return record
        if not lines:
            lines = _lines(body)
            numbers = _columns_of_numbers(lines, delimiter, width)
        if all(_looks_like_a_row(line, delimiter, width, numbers) for line in lines[record.first - 1 : record.last]):
            return record
    return None


def _wide_records(reader: Any, width: int) -> Iterator[Record]:
    """The records with several lines or another number of fields. This loop is fast: a million other rows a second."""
    before = 0
    try:
        for row in reader:
            line = reader.line_num
            if line - before > 1 or (len(row) != width and row):
                yield Record(before + 1, line, row)
            before = line
    except csv.Error:  # strict reading, or a field of more than 128 KiB, because a quote swallowed many rows
        yield Record(before + 1, before + 1, [])


def first_columns_of_numbers(body: bytes, delimiter: str, width: int) -> frozenset[int]:
    """The positions that hold numbers in all of the first rows of a file that begins with `body`."""
    sample = body[: body.rfind(b"\n", 0, SAMPLE_BYTES) + 1] or body
    return _columns_of_numbers(_lines(sample), delimiter, width)


def _columns_of_numbers(lines: list[str], delimiter: str, width: int) -> frozenset[int]:
    """The positions that hold numbers in all of the first rows. The first line is left out: it may be a header."""
    rows = [fields(line, delimiter) for line in lines[1:_SAMPLE_LINES] if line]
    places = [
        frozenset(place for place, field in enumerate(row) if is_number(field)) for row in rows if len(row) == width
    ]
    return frozenset.intersection(*places) if places else frozenset()


def _looks_like_a_row(line: str, delimiter: str, width: int, numbers: frozenset[int]) -> bool:
    """Whether a line has the fields of a row, if it is split at every delimiter, or if quotes enclose its fields."""
    rows = (line.split(delimiter), fields(line, delimiter))
    return any(len(row) == width and all(is_number(row[place]) for place in numbers) for row in rows)
