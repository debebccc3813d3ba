"""Runs the tests that are marked `gpu`, one file at a time, and reads their outcomes.

The tests of a file share a process, and no others: a GPU that one of them loses is there again for the next file.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET  # nosec B405
from collections.abc import Iterator
from pathlib import Path

from bench.gpu.section import Context, Row, failed, last_line, left_out, measured, passed
from bench.machine import ROOT

FOLDER = ROOT / "tests" / "gpu"
# What a test records of itself, as a figure with its unit: see `figures` in tests/gpu/conftest.py.
_FIGURE = "figure: "
# Only these tests' own set-up, and no warnings as errors: another machine has other versions and packages.
_OPTIONS = ("--confcutdir", str(FOLDER), "-o", "filterwarnings=default", "-p", "no:cacheprovider", "-q", "-m", "gpu")


def run(context: Context) -> Iterator[Row]:
    """A row for each test, and for each figure that it recorded."""
    if importlib.util.find_spec("pytest") is None:
        yield left_out("the tests marked gpu", "pytest is not installed")
        return
    variables = {"NCF_DEVICE": "cpu"} if context.device == "cpu" else {}
    for path in sorted(FOLDER.glob("test_*.py")):
        yield from _run_file(path, {**os.environ, **variables})


def _run_file(path: Path, environment: dict[str, str]) -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", str(path), "--junitxml", str(report), *_OPTIONS]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        print(done.stdout, done.stderr, sep="\n")
        if not report.is_file():
            yield failed(path.stem, f"pytest ended with status {done.returncode}: {last_line(done.stderr)}")
            return
        yield from rows_of(report.read_text(encoding="utf-8"))


def rows_of(report: str) -> Iterator[Row]:
    """The rows of a report in JUnit's XML."""
    for case in ET.fromstring(report).iter("testcase"):  # noqa: S314  # nosec B314
        name = case.get("name", "").removeprefix("test_").replace("_", " ")
        found = [(kind, case.find(kind)) for kind in ("failure", "error", "skipped")]
        bad = next(((kind, element) for kind, element in found if element is not None), None)
        if bad is None:
            yield passed(name)
        else:
            note = " ".join(bad[1].get("message", "").split())[:300].replace("|", "/")
            yield left_out(name, note) if bad[0] == "skipped" else failed(name, note)
        for one in case.iter("property"):
            what = one.get("name", "")
            if what.startswith(_FIGURE):
                figure, _, unit = one.get("value", "").partition(" ")
                yield measured(f"{name}: {what.removeprefix(_FIGURE)}", float(figure), unit)
