"""`python -m bench.gpu.child MODULE CONTEXT`: runs one section, and writes each of its rows as a line of JSON.

What the section and its libraries print goes to the standard error stream, so that only rows are in the output.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from bench.gpu.section import Context, Row, Run


def to_json(context: Context) -> str:
    """The context as an argument of this program."""
    return json.dumps(asdict(context), default=str)


def rows_of(output: str) -> list[Row]:
    """The rows in the output of this program; a last line that was cut off is left out."""
    return [Row(**json.loads(line)) for line in output.splitlines(keepends=True) if line.endswith("\n")]


def main() -> None:
    """Runs the section; SIGTERM ends it as `sys.exit` would, so that it can stop what it has started."""
    module, text = sys.argv[1:]
    with os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8") as output:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        signal.signal(signal.SIGTERM, _end)
        run: Run = importlib.import_module(module).run
        for row in run(_context(json.loads(text))):
            output.write(json.dumps(asdict(row)) + "\n")
            output.flush()


def _context(told: dict[str, Any]) -> Context:
    context = Context(**told)
    kmrd = None if context.kmrd is None else Path(context.kmrd)
    return replace(context, artifact=Path(context.artifact), kmrd=kmrd)


def _end(*_: object) -> None:
    sys.exit("stopped: it was late")


if __name__ == "__main__":
    main()
