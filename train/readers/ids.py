"""A column of ids as int64 or as strings. One faulty line must not decide the type of all ids."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from model.vocabulary import counted
from train.dataset.integer_ids import integers_if_all
from train.dataset.reading import Reading, listed
from train.errors import DataError
from train.readers.names import USER, Role
from train.readers.rules import IdType
from train.readers.sieve import Sieve
from train.readers.table import Table, WholeFileError

LARGEST_ID = (1 << 63) - 1
_LARGEST_EXACT_FLOAT = 1 << 53
_INTEGER = r"^(0|-?[1-9][0-9]{0,18})$"
_WHOLE = r"^(0|-?[1-9][0-9]{0,18})\.0+$"
_ROUNDED = r"^-?[0-9]([.,][0-9]+)?[eE]\+[0-9]+$"
MISSING = ("", "na", "n/a", "nan", "null", "none", "<na>", "nil", "nat", "undefined", "unknown", "missing", "-", "?")
_DOUBTFUL, _CLEAR = (
    0.1,
    0.25,
)  # shares of ids that are not integers: below the first it is an error, below the second a warning


def id_type(ids: pd.Series) -> IdType:
    """The type of a column of ids that was already read, so that another file can be read with the same type."""
    return "integer" if pd.api.types.is_integer_dtype(ids.dtype) else "string"


def read_ids(
    table: Table, name: str, role: Role, wanted: IdType, sieve: Sieve, reading: Reading
) -> tuple[pa.ChunkedArray, str]:
    """The column as int64 or strings, and the reason for that type in words. Rows that are left out may hold null.

    Raises DataError if an id cannot be used, or if a few ids would turn a column of integers into strings.
    """
    column, role = table.columns[name], role.said_in(reading.words)
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    sieve.refuse(column.is_null(), lambda where, _: f"{where}: {name} is missing; every rating needs one")
    if pa.types.is_null(column.type):
        column = column.cast(pa.string())
    if pa.types.is_integer(column.type):
        return _as_wanted(_small(column, name, sieve), wanted), "integers"
    if pa.types.is_floating(column.type) or pa.types.is_decimal(column.type):
        return _as_wanted(_whole(column, name, role, sieve), wanted), f"integers (whole numbers of type {column.type})"
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        raise DataError(f"{table.name}: {name} is of type {column.type}; allowed are integers and strings")
    if pa.types.is_large_string(column.type):
        column = column.cast(pa.string()) if column.nbytes < 1 << 31 else column
    return _texts(table, column, name, role, wanted, sieve, reading)


def tell_large(users: pa.ChunkedArray, movies: pa.ChunkedArray, reading: Reading) -> None:
    """Reports which integer ids are too large for JavaScript's numbers."""
    large = [name for name, ids in (("users", users), (reading.words.items, movies)) if _passes_exact_floats(ids)]
    if large:
        told = f"ids of {listed(large)} exceed 2^53: JavaScript and jq would round such numbers"
        reading.say(f"{told}; their clients should send and receive ids as strings (docs/api.md)")


def tell_minus_one(table: Table, ids: pa.ChunkedArray, name: str, reading: Reading) -> None:
    """Warns if -1 is the only negative id: it may stand for all unknown users or movies."""
    if not pa.types.is_integer(ids.type) or pc.min(ids).as_py() != -1:
        return
    same = pc.equal(ids, -1)
    told = f"{table.locate(pc.index(same, True).as_py())}: {name} -1, in {counted(pc.sum(same).as_py(), 'row')}"
    reading.warn(f"{told}, is read as an ordinary id; if it means unknown, remove these rows")


def _passes_exact_floats(ids: pa.ChunkedArray) -> bool:
    if not pa.types.is_integer(ids.type):
        return False
    ends = pc.min_max(ids).as_py()
    return any(end is not None and abs(end) > _LARGEST_EXACT_FLOAT for end in ends.values())


def option(role: Role) -> str:
    """The option that decides the type of these ids."""
    return "--user-ids" if role.what == USER.what else role.option.replace("-column", "-ids")


def _as_wanted(column: pa.ChunkedArray, wanted: IdType) -> pa.ChunkedArray:
    return column.cast(pa.string()) if wanted == "string" else column


def _small(column: pa.ChunkedArray, name: str, sieve: Sieve) -> pa.ChunkedArray:
    if column.type == pa.uint64():
        too_large = pc.greater(column, pa.scalar(LARGEST_ID, pa.uint64()))
        sieve.refuse(too_large, lambda where, row: f"{where}: {name} {column[row]} is above {LARGEST_ID}")
        column = pc.if_else(too_large, pa.scalar(None, pa.uint64()), column)
    return column.cast(pa.int64())


def _whole(column: pa.ChunkedArray, name: str, role: Role, sieve: Sieve) -> pa.ChunkedArray:
    """Floats and decimals as int64 if they are whole numbers. A float above 2^53 may stand for several integers."""
    values = column.cast(pa.float64(), safe=False)
    wrong = pc.or_(pc.invert(pc.is_finite(values)), pc.not_equal(pc.floor(values), values))
    if pa.types.is_floating(column.type):
        wrong = pc.or_(wrong, pc.greater_equal(pc.abs(values), float(_LARGEST_EXACT_FLOAT)))
    else:
        wrong = pc.or_(wrong, pc.greater_equal(pc.abs(values), float(1 << 63)))
    rule = (
        f"allowed are whole numbers below 2^53, or text: write the column as text, or name another with {role.option}"
    )
    sieve.refuse(wrong, lambda where, row: f"{where}: {name} {column[row]} is not an id; {rule}")
    kept = pc.if_else(pc.fill_null(wrong, True), pa.scalar(None, column.type), column)
    return kept.cast(pa.int64())


def _texts(
    table: Table, column: pa.ChunkedArray, name: str, role: Role, wanted: IdType, sieve: Sieve, reading: Reading
) -> tuple[pa.ChunkedArray, str]:
    column = _trimmed(table, column, name, reading)
    sieve.refuse(pc.equal(column, ""), lambda where, _: f"{where}: {name} is empty; every rating needs one")
    for character, told in (
        ("\0", "holds a NUL character"),
        ("\n", "contains a line break; is a quote in the wrong place?"),
    ):
        sieve.refuse(pc.match_substring(column, character), lambda where, _, told=told: f"{where}: {name} {told}")  # type: ignore[misc]
    if table.quotes_are_text:
        wrong = pc.match_substring(column, '"')
        sieve.refuse(
            wrong,
            lambda where, row: f"{where}: {name} {column[row]} has a quote; close it in its field, or give --quotes on",
        )
    if wanted == "string":
        return column, "strings, as requested"
    column = pc.if_else(pa.array(sieve.kept), column, pa.scalar(None, column.type))
    if table.typed and name not in table.mixed and wanted == "auto":
        return column, "strings, as the column's type says"
    return _inferred(table, column, name, role, wanted, sieve, reading)


def _trimmed(table: Table, column: pa.ChunkedArray, name: str, reading: Reading) -> pa.ChunkedArray:
    trimmed = pc.utf8_trim_whitespace(column)
    changed = pc.not_equal(trimmed, column)
    number = pc.sum(changed).as_py() or 0
    if not number:
        return column
    first = table.locate(pc.index(changed, True).as_py())
    reading.warn(f"{first}: spaces around {name} are left out, in {counted(number, 'row')}")
    return trimmed


def _inferred(
    table: Table, column: pa.ChunkedArray, name: str, role: Role, wanted: IdType, sieve: Sieve, reading: Reading
) -> tuple[pa.ChunkedArray, str]:
    """Integers if all or nearly all ids are integers; else strings."""
    whole = integers_if_all(column)
    if pa.types.is_integer(whole.type):
        return whole, "integers"
    decimals = pc.match_substring_regex(column, _WHOLE)
    plain = pc.if_else(decimals, pc.replace_substring_regex(column, r"\.0+$", ""), column)
    is_integer = pc.and_(pc.match_substring_regex(plain, _INTEGER), _fits(plain))
    other = pc.invert(is_integer)
    if wanted == "auto":
        rounded = pc.match_substring_regex(column, _ROUNDED)
        rule = f"may have lost digits; write all digits, or give {option(role)} string"
        sieve.refuse(rounded, lambda where, row: f'{where}: {name} "{column[row]}" {rule}')
    rows, others = len(column) - column.null_count, pc.sum(other).as_py() or 0
    share = others / max(rows, 1)
    clear = share >= _DOUBTFUL and not _all_missing(column, other)
    if table.part and wanted == "auto" and others and not clear:
        raise WholeFileError(f"{table.name}: {others:,} of {rows:,} values of {name} in a block are not integers")
    if wanted == "auto" and clear:
        row = pc.index(other, True).as_py()
        told = f'strings, since {table.locate(row)} has "{column[row]}"'
        if share < _CLEAR:
            most = f"{rows - others:,} of {rows:,} values of {name} are integers"
            reading.warn(f"{role.what} are {told}, but {most}: choose with {option(role)}")
        return column, told
    rule = "is not an integer (7, not 007)"
    way = "correct it, or skip it with --skip-bad-lines 1"
    if wanted == "auto":
        rule += f", while {rows - others:,} of {rows:,} are"
        way += f", or keep all ids as strings with {option(role)} string"
    sieve.refuse(other, lambda where, row: f'{where}: {name} "{column[row]}" {rule}: {way}')
    _tell_decimals(table, column, decimals, name, reading)
    return pc.if_else(other, pa.scalar(None, plain.type), plain).cast(pa.int64()), "integers"


def _tell_decimals(
    table: Table, column: pa.ChunkedArray, decimals: pa.ChunkedArray, name: str, reading: Reading
) -> None:
    number = pc.sum(decimals).as_py() or 0
    if number:
        row = pc.index(decimals, True).as_py()
        told = f"{name} {column[row]} is read as an integer, in {counted(number, 'row')}"
        reading.warn(f"{table.locate(row)}: {told}")


def _fits(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Whether text that looks like an integer fits into 64 bits. Texts of equal length sort like the numbers."""
    digits = pc.utf8_ltrim(column, characters="-")
    limit = pc.if_else(pc.starts_with(column, "-"), str(LARGEST_ID + 1), str(LARGEST_ID))
    return pc.or_(pc.less(pc.utf8_length(digits), 19), pc.less_equal(digits, limit))


def _all_missing(column: pa.ChunkedArray, other: pa.ChunkedArray) -> bool:
    """Whether every id that is not an integer stands for a missing value, and some ids are integers."""
    if pc.all(other).as_py():
        return False
    values = pc.utf8_lower(pc.unique(column.filter(pc.fill_null(other, False)).combine_chunks()))
    return bool(pc.all(pc.is_in(values, pa.array(MISSING))).as_py())
