"""A large text file is read in blocks. The folder is the one of a reading of the whole file, byte for byte."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import pytest

from tests.train.prepared.folders import bytes_of
from train.errors import DataError
from train.prepared.launch import in_turn
from train.prepared.prepare import prepare
from train.readers import ReadingRules

# The first block holds half a megabyte, and the rows that `lines` makes are a megabyte.
ROWS, BLOCK, WHOLE = 22_000, 50_000, 1 << 30
HEADER = "user_id,movie_id,rating,time,note"
TWO_LINES = '"two\nlines, of ""text"""'
LAST = ROWS - 9  # a row of a late block
Rows = dict[int, str]
P = TypeVar("P")
R = TypeVar("R")


def note(_: int) -> str:
    return "a note of some words"


def user(row: int) -> object:
    return row * 7 % 999


def lines(
    note: Callable[[int], str] = note,
    user: Callable[[int], object] = user,
    time: Callable[[int], object] = lambda row: 1_500_000_000 + row,
    odd: Rows | None = None,
) -> list[str]:
    """odd: rows to have instead."""
    rows = [f"{user(n)},{n * n % 97},{n % 10 / 2 + 0.5},{time(n)},{note(n)}" for n in range(ROWS)]
    for place, row in (odd or {}).items():
        rows[place] = row
    return rows


def folder_of(data: Path, rules: ReadingRules, block_bytes: int) -> tuple[dict[str, bytes], list[int]]:
    """What a preparation writes, and how many pieces each of its steps had."""
    numbers: list[int] = []

    def launch(work: Callable[[P], R], pieces: Sequence[P], name: Callable[[P], str]) -> Iterator[R]:
        numbers.append(len(pieces))
        return in_turn(work, pieces, name)

    out = data.parent / f"out-{len(list(data.parent.iterdir()))}"
    prepare(data, rules, None, out, show=False, launch=launch, block_bytes=block_bytes)
    return bytes_of(out), numbers


def check(data: Path, rules: ReadingRules, cut: bool, block_bytes: int = BLOCK) -> None:
    """Compares with a reading of the whole file. cut: whether blocks suffice, so that the file is not read as a whole
    in the end.
    """
    whole, pieces = folder_of(data, rules, WHOLE)
    assert pieces[-3] == 0
    blocks, pieces = folder_of(data, rules, block_bytes)
    assert (pieces[-3] > 0) == cut
    assert blocks == whole


AUTO, SKIP, SKIP_MANY = (ReadingRules(skip_bad_lines=most) for most in (0, 9, 4_000))
BAD_LINES = {LAST: "1,2", 14_000: "1,2,x,3,", 14_001: "1", 9: "2,2,2,2,2,2", 18_000: ",3,3,3,", LAST + 1: "1,2,,4,"}
CASES: dict[str, tuple[list[str], ReadingRules, bool]] = {
    "plain": (lines(), AUTO, True),
    "blank lines": (lines(odd={5: "", LAST: "\n\n"}), AUTO, True),
    "no header": (lines(), ReadingRules(header=False), True),
    "line breaks in quotes": (lines(lambda n: TWO_LINES if n % 3 else note(n)), AUTO, True),
    "line breaks in quotes, as requested": (lines(lambda _: TWO_LINES), ReadingRules(quotes="on"), True),
    "quotes everywhere": (['"' + one.replace(",", '","') + '"' for one in lines()], AUTO, True),
    "a quote that opens a late field": (lines(lambda n: '"odd' if n == LAST else note(n)), AUTO, False),
    "two quotes far apart": (lines(lambda n: '"odd' if n in (3, LAST) else note(n)), AUTO, False),
    "text after a quote": (lines(lambda n: '"odd" text' if n == LAST else note(n)), AUTO, False),
    "quotes are text": (lines(lambda n: '"odd' if n % 5 else note(n)), ReadingRules(quotes="off"), True),
    "a late backslash": (lines(lambda n: r'"a \"b\", c"' if n == LAST else note(n)), AUTO, False),
    "backslashes": (lines(lambda _: r'"a \"b\", c, and more"'), AUTO, False),
    "string ids": (lines(user=lambda n: f"u{n % 999}"), AUTO, True),
    "ids of two kinds": (lines(user=lambda n: n if n < ROWS * 0.8 else f"u{n % 999}"), AUTO, False),
    "a few odd ids": (lines(odd={LAST: "x,1,1,1500000000,", LAST + 1: "y,1,1,1500000000,"}), SKIP, False),
    "ids as requested": (lines(), ReadingRules(user_ids="string", movie_ids="integer"), True),
    "large ids": (lines(user=lambda n: (n % 999) << 50), AUTO, True),
    "a late large id": (lines(user=lambda n: 1 << 55 if n == LAST else user(n)), AUTO, False),
    "-1": (lines(user=lambda n: -1 if n in (7, LAST) else user(n)), AUTO, False),
    "spaces": (lines(user=lambda n: f" {n}" if n % 2 else n), AUTO, False),
    "times in two units": (lines(time=lambda n: 1_500_000_000 * (1 if n < 20_000 else 1_000)), AUTO, False),
    "times as text": (lines(time=lambda n: f"20{n % 24:02}-01-02T03:04:05"), AUTO, True),
    "a late row without time": (lines(time=lambda n: "" if n == LAST else 1_500_000_000), AUTO, False),
    "early times": (lines(time=lambda n: 0 if n == LAST else 1_500_000_000), AUTO, False),
    "not rated": (lines(), ReadingRules(not_rated=("0.5", "3")), True),
    "decimal commas": ([re.sub(r",(\d)\.(\d),", r',"\1,\2",', one) for one in lines()], AUTO, True),
    "copies": ([*lines()[:11_000]] * 2, AUTO, True),
    "kept copies": ([*lines()[:11_000]] * 2, ReadingRules(copies="keep"), True),
    "a lonely rating": (lines(odd={LAST: "1,2,99,1500000000,"}), AUTO, True),
    "bad lines": (lines(odd=BAD_LINES), SKIP, True),
    "bad lines beside quotes": (lines(lambda _: '"a note, and more"', odd=BAD_LINES), SKIP, True),
    "a block of bad lines": (lines(odd=dict.fromkeys(range(13_000, 17_000), "bad " * 9)), SKIP_MANY, False),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_the_folder_does_not_depend_on_the_size_of_blocks(tmp_path: Path, case: str) -> None:
    rows, rules, cut = CASES[case]
    header = [HEADER] if rules.header else []
    (tmp_path / "r.csv").write_text("\n".join([*header, *rows]) + "\n")
    check(tmp_path / "r.csv", rules, cut)


@pytest.mark.parametrize("block_bytes", [1, 3_000, 100_001, 400_000])
def test_blocks_may_have_any_size(tmp_path: Path, block_bytes: int) -> None:
    rows = lines(lambda n: TWO_LINES if n % 3 else note(n))[: 15_000 if block_bytes > 1 else 12_000]
    (tmp_path / "r.csv").write_text("\n".join([HEADER, *rows]))
    check(tmp_path / "r.csv", AUTO, cut=True, block_bytes=block_bytes)


def semicolons(text: str) -> str:
    return text.translate(str.maketrans(",.", ";,"))


@pytest.mark.parametrize(
    ("name", "write", "rules", "cut"),
    [
        ("r.csv", lambda text: text.replace("\n", "\r\n").encode(), AUTO, True),
        ("r.csv", lambda text: text.replace("\n", "\r").encode(), AUTO, False),
        ("r.csv", lambda text: b"\xef\xbb\xbf" + text.encode(), AUTO, True),
        ("r.csv", lambda text: text.replace("words", "낱말").encode("utf-16"), AUTO, True),
        ("r.csv", lambda text: text.replace("words", "낱말").encode("cp949"), ReadingRules(encoding="cp949"), True),
        ("r.csv", lambda text: text.replace("words", "낱말").encode("cp949"), AUTO, False),
        ("r.csv", lambda text: text.encode() + "1,2,3,1500000000,é".encode("latin-1"), AUTO, False),
        ("r.csv", lambda text: b"sep=;\n" + semicolons(text).encode(), AUTO, True),
        ("r.tsv", lambda text: text.replace(",", "\t").encode(), AUTO, True),
        ("r.csv", lambda text: text.replace(",", "::").encode(), AUTO, True),
        ("r.txt", lambda text: text.replace(" ", "-").replace(",", "    ").encode(), AUTO, True),
        ("r.csv.gz", lambda text: gzip.compress(text.encode()), AUTO, True),
        ("r.csv.bz2", lambda text: bz2.compress(text.encode("utf-16")), AUTO, True),
        ("r.csv.xz", lambda text: lzma.compress(text.encode()), AUTO, True),
    ],
)
def test_any_kind_of_text_is_cut_or_read_as_a_whole(
    tmp_path: Path, name: str, write: Callable[[str], bytes], rules: ReadingRules, cut: bool
) -> None:
    (tmp_path / name).write_bytes(write("\n".join([HEADER, *lines()]) + "\n"))
    check(tmp_path / name, rules, cut)


@pytest.mark.parametrize(
    ("bad", "rules", "told"),
    [
        ("1,2", AUTO, "r.csv:43994: 2 fields; allowed are 5: user_id,movie_id,rating,time,note"),
        ("x,2,1,1500000000,", AUTO, 'r.csv:43994: user_id "x" is not an integer (7, not 007), while 21,999 of 22,000'),
        ("1,2,x,1500000000,", AUTO, 'r.csv:43994: rating "x" is not a number'),
        ("1,,1,1500000000,", AUTO, "r.csv:43994: movie_id is empty"),
        ('1,2,"3,5",1500000000,', AUTO, 'r.csv:43994: rating "3,5" is not a number'),
        ("1,2,1,never,", ReadingRules(time_column="time"), 'r.csv:43994: time is "never", which is not a time'),
        ('1,2,1,1500000000,"open', AUTO, "r.csv:43994: a quote opens here and is closed in line 43995"),
        ("1,2,\0,1500000000,", AUTO, "r.csv:43994: byte 0x00 is not text in utf-8"),
        ("1,2,x,3,", SKIP, ""),
    ],
)  # fmt: skip
def test_an_error_in_a_late_block_names_its_line(tmp_path: Path, bad: str, rules: ReadingRules, told: str) -> None:
    rows = lines(lambda _: TWO_LINES, odd={21_996: bad})
    (tmp_path / "r.csv").write_text("\n".join([HEADER, *rows]) + "\n")
    if not told:
        reading = prepare(tmp_path / "r.csv", rules, None, tmp_path / "out", show=False, block_bytes=BLOCK)
        assert reading.warnings == ['1 bad line left out: r.csv:43994: rating "x" is not a number']
        return
    with pytest.raises(DataError, match="^" + re.escape(told)):
        prepare(tmp_path / "r.csv", rules, None, tmp_path / "out", show=False, block_bytes=BLOCK)


def test_later_files_are_cut_too_and_read_as_a_whole_in_doubt(tmp_path: Path) -> None:
    odd = {LAST: "1,2", LAST + 1: "x,2,1,1500000000,"}
    for number, rows in enumerate(
        [lines(), lines(), lines(odd=odd), lines(lambda n: '"odd' if n == LAST else note(n))]
    ):
        (tmp_path / f"{number}.csv").write_text("\n".join([HEADER, *rows]) + "\n")
    check(tmp_path, SKIP, cut=True)


def test_bad_lines_of_all_blocks_together_are_limited(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("\n".join([HEADER, *lines(odd=BAD_LINES)]) + "\n")
    told = r"^r\.csv:\d+: .*; \d bad lines so far, --skip-bad-lines allows 5"
    with pytest.raises(DataError, match=told):
        prepare(tmp_path, ReadingRules(skip_bad_lines=5), None, tmp_path / "out", show=False, block_bytes=BLOCK)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["r.csv"]


def test_json_lines_are_cut(tmp_path: Path) -> None:
    def row(number: int, **odd: object) -> str:
        return json.dumps({"user_id": number % 999, "movie_id": number % 97, "rating": number % 9 + 0.5} | odd)

    plain = [row(number) for number in range(ROWS)]
    for place, (cut, odd) in enumerate(
        [
            (True, plain[-1]),
            (True, '{"user_id": 1, "movie_id"'),
            (True, '[{"user_id": 1}]'),
            (True, row(1, user_id=None)),
            (False, row(1, user_id="u1")),
            (False, row(1, rating="4")),
            (False, row(1, user_id=2.0)),
        ]
    ):
        folder = tmp_path / str(place)
        folder.mkdir()
        (folder / "r.jsonl").write_text("\n".join([*plain[:LAST], odd, *plain[LAST:]]) + "\n")
        check(folder / "r.jsonl", SKIP, cut)
    (tmp_path / "r.json").write_text(f"[{','.join(plain)}]")
    check(tmp_path / "r.json", AUTO, cut=False)


def test_a_late_line_of_json_that_is_wrong_is_named(tmp_path: Path) -> None:
    lines = [json.dumps({"user_id": n, "movie_id": n % 97, "rating": n % 9 + 0.5}) for n in range(ROWS)]
    for bad, told in (
        ("{", r"^r\.jsonl:21992: not JSON"),
        (lines[0].replace("0.5", '"x"'), r'^r\.jsonl:21992: rating "x" is'),
    ):
        (tmp_path / "r.jsonl").write_text("\n".join([*lines[:LAST], bad, *lines[LAST:]]))
        with pytest.raises(DataError, match=told):
            prepare(tmp_path / "r.jsonl", AUTO, None, tmp_path / "out", show=False, block_bytes=BLOCK)
