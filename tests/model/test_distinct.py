"""The different numbers of an array are those of np.unique."""

import numpy as np
import pytest

from model.distinct import distinct


@pytest.mark.parametrize("numbers", [[], [3], [5, -1, 5, 0, -1, 2**62], list(range(100, 0, -1)) * 3])
def test_different_numbers_ascend(numbers: list[int]) -> None:
    array = np.array(numbers, dtype=np.int64)
    assert distinct(array).tolist() == sorted(set(numbers))
    assert array.tolist() == numbers
