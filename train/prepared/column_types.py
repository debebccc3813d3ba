"""Whether a column of a prepared folder, which any engine may have written, holds what it should."""

from __future__ import annotations

import pyarrow as pa

from model.vocabulary import counted


def fault_of(table: pa.Table, column: str) -> str | None:
    """What is wrong with a column, and what is allowed; None if nothing is."""
    if column not in table.column_names:
        return f"is missing; found: {', '.join(table.column_names)}"
    values = table[column]
    if values.null_count:
        return f"{counted(values.null_count, 'row is', 'rows are')} null; allowed: a value in every row"
    kinds = (pa.types.is_integer, pa.types.is_string, pa.types.is_large_string)
    if column.endswith("_id") and not any(is_kind(values.type) for is_kind in kinds):
        return f"got {values.type}, allowed: integers or strings"
    return None
