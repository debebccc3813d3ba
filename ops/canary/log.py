"""Summarise the log of ops/nginx/canary.conf by version: `python -m ops.canary.log LOG [--requests requests.jsonl]`.

The option writes the bodies to a file, one per line. `make canary REQUESTS=requests.jsonl` then compares the answers of
two versions to them.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from model.archive import version_order
from model.vocabulary import counted
from ops.command import failing_in_one_line


def read_log(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Each line with its version: the one named in the answer, or else the one in the request."""
    for line in lines:
        entry = json.loads(line)
        asked = entry["path"].removeprefix("/predictions/ncf").strip("/") or "default"
        yield {**entry, "version": entry["version"] or asked}


def report(entries: Iterable[Mapping[str, Any]]) -> str:
    """Requests, errors and latencies of each version, as a table."""
    by_version: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for entry in entries:
        by_version[entry["version"]].append(entry)
    lines = [f"{'version':12}{'requests':>10}{'4xx':>8}{'5xx':>8}{'p50 ms':>10}{'p99 ms':>10}"]
    for version, mine in sorted(by_version.items(), key=lambda item: version_order(item[0])):
        refused, failed = (sum(entry["status"][0] == first for entry in mine) for first in "45")
        # If nginx sent a request again, it logs the time of each try.
        seconds = sorted(float(last) for entry in mine if (last := entry["seconds"].split(", ")[-1]) not in ("", "-"))
        p50, p99 = (f"{1000 * _quantile(seconds, share):10.1f}" if seconds else f"{'-':>10}" for share in (0.5, 0.99))
        lines.append(f"{version:12}{len(mine):10}{refused:8}{failed:8}{p50}{p99}")
    return "\n".join(lines)


def bodies(entries: Iterable[Mapping[str, Any]]) -> list[str]:
    """The distinct JSON bodies, each on one line. A mirrored request has the body of the original."""
    found: dict[str, None] = {}
    for entry in entries:
        try:
            found[json.dumps(json.loads(entry["body"]), ensure_ascii=False)] = None
        except ValueError:
            continue
    return list(found)


def _quantile(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def main(arguments: list[str] | None = None) -> None:
    """Prints the report."""
    parser = argparse.ArgumentParser(prog="python -m ops.canary.log", description=__doc__.splitlines()[0])
    parser.add_argument("log", type=Path)
    parser.add_argument("--requests", type=Path, help="write the bodies to this file")
    options = parser.parse_args(arguments)
    with failing_in_one_line(f"log: {options.log}", (ValueError, KeyError, OSError), "log: interrupted"):
        with options.log.open(encoding="utf-8", errors="replace") as lines:
            entries = list(read_log(lines))
        print(report(entries))
        if options.requests:
            found = bodies(entries)
            options.requests.write_text("".join(f"{body}\n" for body in found), encoding="utf-8")
            print(f"wrote {options.requests}, {counted(len(found), 'body')}")


if __name__ == "__main__":
    main()
