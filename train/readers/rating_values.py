"""A column of ratings as float64, without the values that mean "not rated"."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from train.dataset.reading import FirstLine, Reading, RowsLine
from train.errors import DataError
from train.readers.ids import MISSING
from train.readers.rules import ReadingRules
from train.readers.sieve import Sieve
from train.readers.table import Table

_NUMBER = r"^-?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
_DECIMAL_COMMA = r"^-?[0-9]+,[0-9]+$"
_NOT_CASTABLE = (pa.ArrowInvalid, pa.ArrowNotImplementedError)


def read_ratings(table: Table, name: str, rules: ReadingRules, sieve: Sieve, reading: Reading) -> pa.ChunkedArray:
    """The column as finite float64 values; rows that are left out may hold null.

    Raises DataError if a value is not a number.
    """
    column = table.columns[name]
    if pa.types.is_boolean(column.type):
        raise DataError(f"{table.name}: {name} is of type bool; allowed are numbers")
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        column = pc.utf8_trim_whitespace(column)
    column = _without_not_rated(table, column, name, rules, sieve, reading)
    way = _way("null")
    sieve.refuse(column.is_null(), lambda where, _: f"{where}: {name} is missing; every row needs a number{way}")
    column = pc.if_else(pa.array(sieve.kept), column, pa.scalar(None, column.type))
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return _parsed(table, column, name, sieve, reading)
    try:
        values = pc.cast(column, pa.float64(), safe=False)
    except _NOT_CASTABLE:
        raise DataError(f"{table.name}: {name} is of type {column.type}; allowed are numbers") from None
    return _finite(values, column, name, sieve)


def refuse_outside(values: pa.ChunkedArray, name: str, scale: tuple[float, float], sieve: Sieve) -> pa.ChunkedArray:
    """Refuses the values outside a given scale, as bad lines."""
    minimum, maximum = scale
    outside = pc.or_(pc.less(values, minimum), pc.greater(values, maximum))

    def tell(where: str, row: int) -> str:
        value = f"{values[row].as_py():g}"
        way = f'if {value} means "not rated": --not-rated {value}'
        return f"{where}: {name} {value} is outside {minimum:g}..{maximum:g}; {way}"

    sieve.refuse(outside, tell)
    return values


def as_numbers(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Text as float64; null for text that is not a number."""
    is_number = pc.match_substring_regex(texts, _NUMBER)
    return pc.if_else(is_number, texts, pa.scalar(None, texts.type)).cast(pa.float64())


def _without_not_rated(
    table: Table, column: pa.ChunkedArray, name: str, rules: ReadingRules, sieve: Sieve, reading: Reading
) -> pa.ChunkedArray:
    """Leaves out rows whose value means "not rated", and sets it to null. A missing value is empty or the text null."""
    if not rules.not_rated:
        return column
    texts = column if pa.types.is_string(column.type) else column.cast(pa.string())
    same = pc.is_in(texts, pa.array(list(rules.not_rated)))
    numbers = [float(one) for one in rules.not_rated if _is_number(one)]
    values = as_numbers(texts)
    same = pc.or_(same, pc.fill_null(pc.is_in(values, pa.array(numbers, pa.float64())), False))
    if {"", "null", "NULL"} & set(rules.not_rated):
        same = pc.or_(same, column.is_null())
    found = pc.fill_null(same, False)
    number = sieve.leave_out(found.to_numpy().astype(np.bool_))
    listed = ", ".join(f'"{one}"' for one in rules.not_rated)
    reading.say(RowsLine(f"{table.name}: ", number, f" left out, because {name} {listed} means not rated"))
    return pc.if_else(found, pa.scalar("0" if pa.types.is_string(column.type) else 0).cast(column.type), column)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _parsed(table: Table, column: pa.ChunkedArray, name: str, sieve: Sieve, reading: Reading) -> pa.ChunkedArray:
    """Text as numbers. A comma is a decimal comma if no value has a point."""
    try:
        values = pc.cast(column, pa.float64())
    except _NOT_CASTABLE:
        commas = pc.match_substring_regex(column, _DECIMAL_COMMA)
        if pc.any(commas).as_py() and not pc.any(pc.match_substring(column, ".")).as_py():
            row = pc.index(commas, True).as_py()
            told = f"{table.name}: {name} has decimal commas"
            reading.say(FirstLine(told, f'{told}, as "{column[row]}"'))
            column = pc.if_else(commas, pc.replace_substring(column, ",", "."), column)
        wrong = pc.invert(pc.match_substring_regex(column, _NUMBER))
        shown = table.columns[name]
        sieve.refuse(
            wrong, lambda where, row: f'{where}: {name} "{shown[row]}" is not a number{_way(shown[row].as_py())}'
        )
        values = as_numbers(column)
    return _finite(values, column, name, sieve)


def _way(value: str) -> str:
    return f'; if it means "not rated": --not-rated "{value}"' if value.strip().lower() in MISSING else ""


def _finite(values: pa.ChunkedArray, column: pa.ChunkedArray, name: str, sieve: Sieve) -> pa.ChunkedArray:
    wrong = pc.invert(pc.is_finite(values))
    sieve.refuse(wrong, lambda where, row: f"{where}: {name} {column[row]} is not a finite number")
    return pc.if_else(pc.fill_null(wrong, True), pa.scalar(None, pa.float64()), values)
