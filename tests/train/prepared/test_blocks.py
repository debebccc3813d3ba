"""A large text file is read in blocks. The folder is the one of a reading of the whole file, byte for byte."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.train.prepared.folders import bytes_of
from train.errors import DataError
from train.prepared.launch import in_turn
from train.prepared.prepare import prepare
from train.readers import ReadingRules

ROWS, WHOLE = 45_000, 1 << 30
HEADER = "user_id,movie_id,rating,time,note"


def lines(
    note: Callable[[int], str] = lambda n: "a note of some words", user: Callable[[int], object] = lambda n: n * 7 % 999
) -> list[str]:
    """Rows of about 1.7 MB; the first block of a file has 512 KiB or more."""
    return [f"{user(n)},{n * n % 97},{n % 10 / 2 + 0.5},{1_500_000_000 + n},{note(n)}" for n in range(ROWS)]


def folder_of(data: Path, rules: ReadingRules, block_bytes: int) -> tuple[dict[str, bytes], list[int]]:
    """What a preparation writes, and how many pieces each of its steps had."""
    pieces = []

    def launch(work: Any, todo: Sequence[Any], name: Callable[[Any], str]) -> Iterator[Any]:
        pieces.append(len(todo))
        return in_turn(work, todo, name)

    out = data.parent / f"out-{block_bytes}-{len(list(data.parent.iterdir()))}"
    prepare(data, rules, None, out, show=False, launch=launch, block_bytes=block_bytes)
    return bytes_of(out), pieces


def check(data: Path, rules: ReadingRules, block_bytes: int, cut: bool) -> None:
    """cut: whether the file is read in blocks to the end."""
    whole, pieces = folder_of(data, rules, WHOLE)
    assert pieces[0] == 0
    blocks, pieces = folder_of(data, rules, block_bytes)
    assert (pieces[-3] > 1) == cut
    assert blocks == whole


TWO_LINES = '"two\nlines, of ""text"""'
CASES: dict[str, tuple[list[str], ReadingRules, bool]] = {
    "plain": (lines(), ReadingRules(), True),
    "no time": (lines(), ReadingRules(time_column="5", header=False, user_ids="string"), False),
    "quoted header": (lines(), ReadingRules(), True),
    "line breaks in quotes": (lines(lambda n: TWO_LINES if n % 3 else "x"), ReadingRules(), True),
    "line breaks in quotes, as requested": (lines(lambda n: TWO_LINES), ReadingRules(quotes="on"), True),
    "quotes everywhere": (['"' + one.replace(",", '","') + '"' for one in lines()], ReadingRules(), True),
    "a quote that opens a late field": (lines(lambda n: '"odd' if n > ROWS - 99 else "x" * 20), ReadingRules(), False),
    "two quotes far apart": (lines(lambda n: '"odd' if n in (3, ROWS - 9) else "x" * 20), ReadingRules(), False),
    "quotes are text": (lines(lambda n: '"odd' if n % 5 == 0 else "x" * 20), ReadingRules(quotes="off"), True),
    "a late backslash": (lines(lambda n: r'"a \"b\", c"' if n > ROWS - 9 else "x" * 20), ReadingRules(), False),
    "string ids": (lines(user=lambda n: f"u{n % 999}"), ReadingRules(), True),
    "ids of two kinds": (lines(user=lambda n: n if n < ROWS * 0.8 else f"u{n % 999}"), ReadingRules(), False),
    "a few odd ids": (lines(user=lambda n: f"u{n}" if n > ROWS - 99 else n), ReadingRules(skip_bad_lines=98), False),
    "ids as requested": (lines(), ReadingRules(user_ids="string", movie_ids="integer"), True),
    "large ids": (lines(user=lambda n: (n % 999) << 40), ReadingRules(), True),
    "-1": (lines(user=lambda n: -1 if n == ROWS - 2 else n % 999), ReadingRules(), False),
    "not rated": (lines(), ReadingRules(not_rated=("0.5", "3")), True),
    "other columns": (lines(), ReadingRules(user_column="movie_id", movie_column="user_id"), True),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("block_bytes", [3_000, 200_000])
def test_the_folder_does_not_depend_on_the_size_of_blocks(tmp_path: Path, case: str, block_bytes: int) -> None:
    rows, rules, cut = CASES[case]
    header = HEADER.replace("note", '"note"') if case == "quoted header" else HEADER
    (tmp_path / "r.csv").write_text("\n".join([*([header] if rules.header else []), *rows]) + "\n")
    check(tmp_path / "r.csv", rules, block_bytes, cut)
