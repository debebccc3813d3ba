"""From which size of a batch or a request on a GPU pays: the measured rates, compared size by size."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bench.gpu.section import Row, left_out, measured

# Pairs per second, by the pairs in a batch or a request.
Rates = Mapping[int, float]
_WHAT = "a GPU pays from columns of"


def crossovers(gpu: Mapping[int, Rates], cpu: Mapping[int, Rates]) -> Iterator[Row]:
    """A row for each number of workers, and one for the best of all numbers.

    gpu, cpu: the rates of the workers with and without a GPU, by their number.
    """
    if not gpu:
        yield left_out(_WHAT, "no workers with a GPU were measured")
        return
    for number in sorted(gpu.keys() & cpu.keys()):
        yield compare(f"{_WHAT}, {number} worker{'s' * (number > 1)} each", gpu[number], cpu[number])
    if len(gpu) > 1 and len(cpu) > 1:
        yield compare(f"{_WHAT}, the better number of workers each", _best(gpu), _best(cpu))


def crossover(gpu: Rates, cpu: Rates) -> int | None:
    """The smallest size from which on the GPU is faster at every size that both have; None if there is none."""
    found = None
    for size in sorted(gpu.keys() & cpu.keys(), reverse=True):
        if gpu[size] <= cpu[size]:
            break
        found = size
    return found


def compare(what: str, gpu: Rates, cpu: Rates) -> Row:
    """The row that says from which size on the GPU is faster, and how much faster it is at each size."""
    both = sorted(gpu.keys() & cpu.keys())
    if not both:
        return left_out(what, "no size was measured with and without a GPU")
    times = "; ".join(f"{size:,}: {gpu[size] / cpu[size]:.2f} times" for size in both)
    size = crossover(gpu, cpu)
    if size is None:
        return Row(what, "measured", note=f"none of these sizes; GPU against CPU: {times}")
    return measured(what, size, "pairs", f"GPU against CPU: {times}")


def _best(found: Mapping[int, Rates]) -> dict[int, float]:
    sizes = {size for rates in found.values() for size in rates}
    return {size: max(rates.get(size, 0.0) for rates in found.values()) for size in sizes}
