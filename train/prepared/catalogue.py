"""What a prepared folder knows of its items: `catalogue.json`, which any engine may have written."""

from __future__ import annotations

import json

import pandas as pd

from train.dataset.data import MOVIE_ID
from train.errors import DataError


def catalogue_of(name: str, data: bytes) -> pd.DataFrame:
    """The catalogue as `RatingsData.movies`. name: of the file, for messages.

    Raises:
        DataError: the file does not hold columns of equal length, of which one has the items' ids.
    """
    try:
        columns = json.loads(data)
    except ValueError as error:
        raise DataError(f"{name}: not JSON: {error}") from None
    if not isinstance(columns, dict) or MOVIE_ID not in columns:
        raise DataError(f'{name}: has no column {MOVIE_ID}; allowed are columns: {{"{MOVIE_ID}": [1, 2], …}}')
    for column, values in columns.items():
        if not isinstance(values, list) or len(values) != len(columns[MOVIE_ID]):
            raise DataError(f"{name}: {column}: allowed is a list with one value for each {MOVIE_ID}")
    ids = columns.pop(MOVIE_ID)
    integer = bool(ids) and isinstance(ids[0], int)
    frame = pd.DataFrame({MOVIE_ID: pd.array(ids, dtype="int64" if integer else "str")})
    return frame.assign(**{column: pd.Series(values, dtype="object") for column, values in columns.items()})
