"""Pieces of work on several cores: their results come in order, and no figure depends on the number of cores."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from train.__main__ import main
from train.cores import cores, in_order, use_cores


@pytest.fixture(autouse=True)
def _one_core_afterwards() -> Iterator[None]:
    yield
    use_cores(1)


@pytest.mark.parametrize("number", [1, 2, 5])
def test_results_come_in_the_order_of_the_pieces(number: int) -> None:
    use_cores(number)

    def work(piece: int) -> tuple[int, int]:
        time.sleep(0.02 / (1 + piece))  # the later, the sooner done
        return piece, threading.get_ident()

    found = list(in_order(work, range(20)))
    assert [piece for piece, _ in found] == list(range(20))
    assert (len({thread for _, thread in found}) > 1) == (number > 1)


@pytest.mark.parametrize("number", [1, 3])
def test_what_a_piece_raises_is_raised_and_few_pieces_are_begun(number: int) -> None:
    use_cores(number)
    begun: list[int] = []

    def work(piece: int) -> int:
        begun.append(piece)
        if piece == 2:
            raise ValueError("piece 2")
        return piece

    with pytest.raises(ValueError, match="piece 2"):
        list(in_order(work, range(1000)))
    assert len(begun) < 20


def test_pieces_may_have_pieces_and_a_single_one_stays_in_its_thread() -> None:
    use_cores(2)
    assert list(in_order(lambda number: sum(in_order(abs, range(number))), range(30)))[-1] == sum(range(29))
    assert list(in_order(lambda _: threading.get_ident(), [0])) == [threading.get_ident()]


@pytest.mark.parametrize("most", [1, 2, 3])
def test_no_more_pieces_than_asked_are_worked_on_at_a_time(most: int) -> None:
    use_cores(4)
    lock, now, highest = threading.Lock(), 0, 0

    def work(_piece: int) -> None:
        nonlocal now, highest
        with lock:
            now += 1
            highest = max(highest, now)
        time.sleep(0.002)
        with lock:
            now -= 1

    list(in_order(work, range(40), most))
    assert 1 <= highest <= most


def test_the_default_is_one_thread_for_each_core() -> None:
    use_cores(0)
    assert cores() >= 1


def test_the_number_of_threads_does_not_change_the_model(
    small_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quick_options: list[str]
) -> None:
    monkeypatch.setattr("train.factors.in_memory._PART_RATINGS", 500)
    monkeypatch.setattr("train.factors.in_memory._RATINGS_PER_MOVIE", 1)
    digests = set()
    for threads in (1, 3):
        out: Any = tmp_path / str(threads)
        main(["--data", str(small_file), "--out", str(out), "--threads", str(threads), *quick_options])
        digests.add(((out / "metrics.json").read_text().partition('"digest": "')[2]).partition('"')[0])
    assert len(digests) == 1
    assert "" not in digests
