"""The hashes are those that any other engine would compute."""

import hashlib

import numpy as np
import pytest

from train.dataset.hashes import below, id_hashes, part_of, row_hashes, splitmix64


def test_splitmix64_gives_the_published_numbers() -> None:
    # The first outputs of the generator that is seeded with 0: its state grows by the golden gamma.
    states = np.array([0, 0x9E3779B97F4A7C15, 2 * 0x9E3779B97F4A7C15 % 2**64], dtype=np.uint64)
    assert [hex(one) for one in splitmix64(states)] == ["0xe220a8397b1dcdaf", "0x6e789e6aa1b965f4", "0x6c45d188009454f"]


def test_a_string_is_hashed_by_sha_256() -> None:
    ids = np.array(["a", "영화"], dtype=object)
    encoded = np.array([one.encode() for one in ids], dtype=np.bytes_)
    assert id_hashes(encoded).tolist() == [int(hashlib.sha256(one).hexdigest()[:16], 16) for one in encoded.tolist()]


@pytest.mark.parametrize("parts", [1, 8, 1024])
def test_parts_are_the_highest_bits_and_about_equal(parts: int) -> None:
    hashes = id_hashes(np.arange(-20_000, 20_000))
    found = np.bincount(part_of(hashes, parts), minlength=parts)
    assert len(found) == parts
    assert found.min() > 0.4 * 40_000 / parts
    finer = part_of(hashes, 2 * parts)
    assert (finer // 2 == part_of(hashes, parts)).all()


def test_a_share_of_rows_is_drawn_by_the_seed() -> None:
    user, item = id_hashes(np.arange(50_000)), id_hashes(np.arange(50_000) % 7)
    rating, first = np.full(50_000, 4.5, dtype=np.float32), np.zeros(50_000, dtype=np.int64)
    drawn = below(row_hashes(1, user, item, rating, first), 0.2)
    assert drawn.mean() == pytest.approx(0.2, abs=0.01)
    other = below(row_hashes(2, user, item, rating, first), 0.2)
    assert (drawn & other).mean() == pytest.approx(0.04, abs=0.005)
    repeated = below(row_hashes(1, user, item, rating, first + 1), 0.2)
    assert (drawn & repeated).mean() == pytest.approx(0.04, abs=0.005)
