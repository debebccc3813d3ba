"""A section that finds something, and then loses its GPU."""

from collections.abc import Iterator

from bench.gpu.section import Context, Row, measured


def run(context: Context) -> Iterator[Row]:
    yield measured("before", 1.0, "s")
    raise RuntimeError(f"the card is gone, on {context.device}")
