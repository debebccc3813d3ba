"""From which size of a request on a GPU pays."""

import pytest

from bench.gpu.crossover import crossover, crossovers

CPU = {1: 10.0, 100: 20.0, 1_000: 30.0}


@pytest.mark.parametrize(
    ("gpu", "expected"),
    [
        ({1: 1.0, 100: 21.0, 1_000: 31.0}, 100),
        ({1: 11.0, 100: 21.0, 1_000: 31.0}, 1),
        ({1: 11.0, 100: 1.0, 1_000: 31.0}, 1_000),  # faster for small requests, but not from there on
        ({1: 11.0, 100: 21.0, 1_000: 30.0}, None),
        ({1: 1.0, 100: 21.0}, 100),  # the largest was not measured on it
        ({}, None),
    ],
)
def test_a_gpu_pays_from_where_it_stays_faster(gpu: dict[int, float], expected: int | None) -> None:
    assert crossover(gpu, CPU) == expected


def test_a_row_for_each_number_of_workers_and_one_for_the_better_of_them() -> None:
    gpu = {1: {1: 1.0, 1_000: 31.0}, 8: {1: 2.0, 1_000: 90.0}}
    cpu = {1: {1: 10.0, 1_000: 30.0}, 8: {1: 60.0, 1_000: 100.0}}
    one, eight, better = crossovers(gpu, cpu)
    assert (one.figure, one.unit, one.outcome) == (1_000, "pairs", "measured")
    assert "1: 0.10 times; 1,000: 1.03 times" in one.note
    assert (eight.figure, better.figure) == (None, None)
    assert "none of these sizes" in better.note
    assert "1: 0.03 times; 1,000: 0.90 times" in better.note


def test_without_a_gpu_there_is_nothing_to_say() -> None:
    [row] = crossovers({}, {1: CPU})
    assert row.outcome == "left out"


def test_kinds_of_workers_without_a_common_size_are_left_out() -> None:
    [row] = crossovers({1: {}}, {1: CPU})
    assert row.outcome == "left out"
