"""Publishes the results of a benchmark: on the terminal, in bench/results, and in docs/benchmarks.md."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

import orjson

from bench.machine import ROOT, machine_line
from model.files import atomic_write

RESULTS = ROOT / "bench" / "results"
DOCUMENT = ROOT / "docs" / "benchmarks.md"
_OPTIONS = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE | orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS


def as_json(results: Mapping[str, Any]) -> bytes:
    """The results as the file of a benchmark has them; an infinite figure becomes null."""
    return orjson.dumps(results, option=_OPTIONS)


def publish(name: str, results: Mapping[str, Any], text: str, options: argparse.Namespace) -> None:
    """Prints `text`; without --write-nothing, also writes results/NAME.json and the section NAME of the document.

    results: what `describe_machine` returns, and the figures of every round. An infinite figure becomes null.

    Raises:
        ValueError: the document has no section of this name.
    """
    print(text)
    if options.write_nothing:
        return
    with atomic_write(RESULTS / f"{name}.json") as partial:
        partial.write_bytes(as_json(results))
    document = replace_section(DOCUMENT.read_text(encoding="utf-8"), name, f"{machine_line(results)}\n\n{text}")
    with atomic_write(DOCUMENT) as partial:
        partial.write_text(document, encoding="utf-8")


def replace_section(document: str, name: str, text: str) -> str:
    """The document with `text` between the comments that begin and end the section `name`.

    Raises:
        ValueError: the document does not have both comments.
    """
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    before, found_begin, rest = document.partition(begin)
    _, found_end, after = rest.partition(end)
    if not (found_begin and found_end):
        raise ValueError(f"{DOCUMENT.relative_to(ROOT)}: expected a line `{begin}` and after it a line `{end}`")
    return f"{before}{begin}\n{text}\n{end}{after}"
