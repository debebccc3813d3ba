"""What ops/nginx/canary.conf logged, by version: `python -m ops.canary LOG [--candidate 1.1]`.

With a candidate, the bodies in the log are sent to it and to the default once more, and the answers compared: ratings
by their difference, lists by the movies that both hold.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ops.client import Client, ClientError
from ops.settings import read_settings

MOST_COMPARED = 1000


@dataclass
class Comparison:
    """The default's and the candidate's answers to the same bodies."""

    requests: int = 0
    errors_differ: int = 0
    rating_differences: list[float] = field(default_factory=list)
    shared_movies: list[float] = field(default_factory=list)

    def add(self, default: Any, candidate: Any) -> None:
        """Counts one pair of answers; an answer that holds several asks counts once for each."""
        if isinstance(default, dict) and isinstance(candidate, dict) and "predictions" in default.keys() & candidate:
            for one, other in zip(default["predictions"], candidate["predictions"], strict=True):
                self.add(one, other)
            return
        self.requests += 1
        kinds = [
            next((name for name in ("rating", "recommendations") if name in one), "") for one in (default, candidate)
        ]
        if kinds[0] != kinds[1]:
            self.errors_differ += 1
        elif kinds[0] == "rating":
            self.rating_differences.append(abs(default["rating"] - candidate["rating"]))
        elif kinds[0] == "recommendations":
            first, second = ({one["movie_id"] for one in each["recommendations"]} for each in (default, candidate))
            self.shared_movies.append(len(first & second) / max(1, len(first | second)))

    def __str__(self) -> str:
        parts = [f"{self.requests} asks compared"]
        if self.rating_differences:
            mean, most = statistics.fmean(self.rating_differences), max(self.rating_differences)
            parts.append(f"ratings differ by {mean:.4f} on average, by {most:.4f} at most")
        if self.shared_movies:
            parts.append(f"lists share {statistics.fmean(self.shared_movies):.0%} of their movies")
        parts.append(f"{self.errors_differ} answered by one alone")
        return "; ".join(parts)


def read_log(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Each line with its version: the one that the answer named, else the one that was asked."""
    for line in lines:
        entry = json.loads(line)
        asked = entry["path"].removeprefix("/predictions/ncf").strip("/") or "default"
        yield {**entry, "version": entry["version"] or asked}


def report(entries: Iterable[Mapping[str, Any]]) -> str:
    """Requests, server errors and latencies of each version, as a table."""
    by_version: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for entry in entries:
        by_version[entry["version"]].append(entry)
    lines = [f"{'version':12}{'requests':>10}{'4xx':>8}{'5xx':>8}{'p50 ms':>10}{'p99 ms':>10}"]
    for version, mine in sorted(by_version.items()):
        refused, failed = (sum(entry["status"][0] == first for entry in mine) for first in "45")
        # Of a request that was sent again, nginx tells each try's.
        seconds = sorted(float(last) for entry in mine if (last := entry["seconds"].split(", ")[-1]) not in ("", "-"))
        p50, p99 = (f"{1000 * _quantile(seconds, share):10.1f}" if seconds else f"{'-':>10}" for share in (0.5, 0.99))
        lines.append(f"{version:12}{len(mine):10}{refused:8}{failed:8}{p50}{p99}")
    return "\n".join(lines)


def compare(client: Client, bodies: Iterable[str], candidate: str) -> Comparison:
    """Asks the default and the candidate for each body; what is no JSON object is left out."""
    comparison = Comparison()
    for body in bodies:
        try:
            asked = json.loads(body)
        except ValueError:
            continue
        if isinstance(asked, dict):
            comparison.add(_answer(client, asked, None), _answer(client, asked, candidate))
    return comparison


def _answer(client: Client, body: dict[str, Any], version: str | None) -> Any:
    try:
        return client.predict(body, version)
    except ClientError:
        return {}


def _quantile(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def main(arguments: list[str] | None = None) -> int:
    """Prints the report; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m ops.canary", description=__doc__.split("\n\n")[0])
    parser.add_argument("log", type=Path)
    parser.add_argument("--candidate", help="compare this version's answers with the default's")
    options = parser.parse_args(arguments)
    try:
        with options.log.open(encoding="utf-8", errors="replace") as lines:
            entries = list(read_log(lines))
        print(report(entries))
        if options.candidate:
            client = Client(read_settings(Path("config.properties"), Path.cwd()))
            bodies = list(dict.fromkeys(entry["body"] for entry in entries if entry["body"]))[-MOST_COMPARED:]
            print(compare(client, bodies, options.candidate))
    except (ClientError, ValueError, KeyError, OSError) as error:
        print(f"canary: {options.log}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
