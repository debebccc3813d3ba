"""Decide whether "…" encloses a field in a text file, or a quote is a character like any other.

A quote inside such a field is written twice, or after a backslash if only that splits every line correctly.

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
from train.readers.dialect import fields
from train.readers.names import is_number

Quoting = Literal["on", "backslash", "off"]
QUOTES_OFF = "if quotes are characters like any other here: --quotes off"
_SAMPLE_LINES = 50


@dataclass(frozen=True)
class Record:
    """One record: its first and last line, from 1, and its fields."""

    first: int
    last: int
    fields: list[str]


def records(name: str, body: bytes, delimiter: str, quoting: Quoting, strict: bool = False) -> Iterator[Record]:
    """Every record that is not blank.

    Raises DataError on a field beyond the csv module's limit, and if strict on a quote that is not closed well.
    """
    reader = _reader(body, delimiter, quoting, strict)
    while True:
        first = reader.line_num + 1
        try:
            fields = next(reader, None)
        except csv.Error as error:
            raise DataError(f"{name}:{first}: a quote is not closed as it must be: {error}; {QUOTES_OFF}") from None
        if fields is None:
            return
        if fields:
            yield Record(first, reader.line_num, fields)


def _reader(body: bytes, delimiter: str, quoting: Quoting, strict: bool) -> Any:
    lines = io.TextIOWrapper(io.BytesIO(body), encoding="utf-8", newline="")
    kind: Literal[0, 3] = csv.QUOTE_NONE if quoting == "off" else csv.QUOTE_MINIMAL
    escape = "\\" if quoting == "backslash" else None
    return csv.reader(lines, delimiter=delimiter, quoting=kind, strict=strict, escapechar=escape)


def has_backslashes(body: bytes, delimiter: str, width: int) -> bool:
    """Whether a backslash stands before quotes or delimiters within fields: all rows have `width` fields only then."""
    if b'\\"' not in body and b"\\" + delimiter.encode() not in body:
        return False
    faults = (_first_fault(body, delimiter, width, quoting, strict=True) for quoting in ("on", "backslash"))
    return next(faults) is not None and next(faults) is None


def quotes_are_text(name: str, body: bytes, delimiter: str, width: int) -> int:
    """The line of the first quote that can only be a character like any other, or 0 where quotes hold fields together.

    width: the number of fields of a row. Raises DataError where a quote swallows rows, but the file cannot be read
    without quotes either.
    """
    if b'"' not in body:
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
        raise DataError(f"{name}:{faulty.first}: {told}; write a quote within a field twice, or {QUOTES_OFF}")
    return 0  # a row of another width is told where it is read


def line_of_text_after_quotes(body: bytes, delimiter: str) -> int:
    """The first line with a field such as "Weird Al" Yankovic, whose quotes would be left out; 0 where none has one."""
    apart = re.escape(delimiter.encode())
    inner = re.compile(rb'"(?<=[^"\r\n%s]")(?=[^"\r\n%s])' % (apart, apart))  # quick: there are few of them
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
    """The first record of another width, or that goes over a line end which looks like the end of a row."""
    lines: list[str] = []
    numbers: set[int] = set()
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
    """The records of several lines or of another width: a file of a million others is gone through in a second."""
    before = 0
    try:
        for row in reader:
            line = reader.line_num
            if line - before > 1 or (len(row) != width and row):
                yield Record(before + 1, line, row)
            before = line
    except csv.Error:  # in a strict reading; else a field of more than 128 KiB, which a quote has made of many rows
        yield Record(before + 1, before + 1, [])


def _columns_of_numbers(lines: list[str], delimiter: str, width: int) -> set[int]:
    """Places in a row that hold numbers in every one of the first rows, after a line that may be a header."""
    rows = [fields(line, delimiter) for line in lines[1:_SAMPLE_LINES] if line]
    places = [{place for place, field in enumerate(row) if is_number(field)} for row in rows if len(row) == width]
    return set.intersection(*places) if places else set()


def _looks_like_a_row(line: str, delimiter: str, width: int, numbers: set[int]) -> bool:
    """Cut at every delimiter, or with its quotes."""
    rows = (line.split(delimiter), fields(line, delimiter))
    return any(len(row) == width and all(is_number(row[place]) for place in numbers) for row in rows)
