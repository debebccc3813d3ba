"""The same rule decides for one id and for a whole column."""

import pyarrow as pa
import pytest

from train.dataset.integer_ids import integers_if_all, is_integer_id


@pytest.mark.parametrize(
    ("text", "integer"),
    [
        *((text, True) for text in ("0", "7", "-7", "9223372036854775807", "-9223372036854775808")),
        *((text, False) for text in ("", "-", "-0", "+7", "007", " 7", "7 ", "1.0", "1e3", "٣", "9223372036854775808")),
    ],
)
def test_column_is_integers_if_every_id_is_one(text: str, integer: bool) -> None:
    assert is_integer_id(text) == integer
    assert pa.types.is_integer(integers_if_all(pa.chunked_array([["1", text]])).type) == integer
