"""Further columns of a catalogue, such as `price` or `cover_url`. Answers show them on request."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from model.catalogue import NAMES_IN_ANSWERS
from model.vocabulary import Vocabulary
from train.dataset.data import CATALOGUE_COLUMNS, MOVIE_ID
from train.dataset.reading import Reading, listed
from train.readers.ids import MISSING
from train.readers.table import Table

# Many JSON parsers round larger integers.
_LARGEST_EXACT = 2**53


def further_columns(where: str, names: Sequence[str], taken: Sequence[str], reading: Reading) -> list[str]:
    """The further columns of a catalogue to keep, except those in `taken`. Reports kept and dropped columns."""
    others = [name for name in dict.fromkeys(names) if name not in taken and names.count(name) == 1]
    refused = [name for name in others if name in _refused_names(reading.words)]
    kept = [name for name in others if name not in refused]
    if kept:
        reading.say(f"{where}: {listed(kept)} shown in answers where `fields` asks")
    if refused:
        reading.warn(f"{where}: {listed(refused)} not kept: answers already have such a field; rename the column")
    return kept


def values_of(table: Table, name: str) -> list[Any]:
    """A column's values in types that JSON can hold; None for a missing value.

    Text becomes numbers if every value is a number in the usual notation.
    """
    column = table.columns[name]
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return _of_texts(table.texts(name))
    if pa.types.is_decimal(column.type):
        column = column.cast(pa.float64(), safe=False)
    if pa.types.is_boolean(column.type) or pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        return [_finite(value) for value in column.to_pylist()]
    if pa.types.is_temporal(column.type):
        return list(pc.cast(column, pa.string()).to_pylist())
    return [None if value is None else str(value) for value in column.to_pylist()]


def _of_texts(texts: Sequence[str | None]) -> list[Any]:
    known = [text for text in texts if text is not None and text.lower() not in MISSING]
    for read in (_whole, _decimal):
        if known and all(read(text) is not None for text in known):
            return [None if text is None or text.lower() in MISSING else read(text) for text in texts]
    return list(texts)


def _whole(text: str) -> int | None:
    """The integer; None for other text, such as 007, which would lose its zeros."""
    try:
        number = int(text)
    except ValueError:
        return None
    return number if str(number) == text and abs(number) <= _LARGEST_EXACT else None


def _decimal(text: str) -> float | None:
    if text.startswith("0") and text[1:2].isdigit():
        return None
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) and len(text) <= 17 else None


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _refused_names(words: Vocabulary) -> frozenset[str]:
    return NAMES_IN_ANSWERS | {*CATALOGUE_COLUMNS, MOVIE_ID, words.item_id, words.tags}
