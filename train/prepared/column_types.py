"""Whether a column of a prepared folder, which any engine may have written, holds what it should."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from model.vocabulary import counted

_IDS = (pa.types.is_integer, pa.types.is_string, pa.types.is_large_string), "integers or strings"
_NUMBERS = pa.types.is_integer, pa.types.is_floating
_KINDS = {
    "user_id": _IDS,
    "item_id": _IDS,
    "rating": ((*_NUMBERS, pa.types.is_decimal), "numbers"),
    "time": (_NUMBERS, "numbers of seconds since 1970"),
}


def fault_of(table: pa.Table, column: str) -> str | None:
    """What is wrong with a column, and what is allowed; None if nothing is."""
    if column not in table.column_names:
        return f"is missing; found: {', '.join(table.column_names)}"
    values = table[column]
    if values.null_count:
        return f"{counted(values.null_count, 'row is', 'rows are')} null; allowed: a value in every row"
    kinds, allowed = _KINDS[column]
    if not any(is_kind(values.type) for is_kind in kinds):
        return f"got {values.type}, allowed: {allowed}"
    if column == "time" and pc.all(pc.is_finite(values)).as_py() is False:
        return f"a row is NaN or infinite; allowed: {allowed}"
    return None
