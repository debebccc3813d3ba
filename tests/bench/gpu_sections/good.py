"""A section that behaves well, and prints as libraries do."""

from collections.abc import Iterator

from bench.gpu.section import Context, Row, left_out, measured, passed


def run(context: Context) -> Iterator[Row]:
    print("chatter that is no row")
    yield measured("speed", 1234.5, "pairs/s", f"on {context.device}, small: {context.small}")
    yield passed("a test")
    yield left_out("two cards", "this machine has one")
