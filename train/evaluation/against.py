"""A version beside another one, for the report: what `build/VERSION/verdict.json` tells, as a table."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from model.vocabulary import MOVIES, Vocabulary
from train.errors import DataError

_MIB = 2**20


class Row(NamedTuple):
    """A line of the table: both versions' figures, their difference, and its interval, as text."""

    name: str
    version: str
    other: str
    difference: str
    interval: str = ""


def read_verdict(path: Path, words: Vocabulary = MOVIES) -> dict[str, Any]:
    """The verdict with its `table`, in the words of its version.

    Raises:
        DataError: there is none, or it is damaged.
    """
    try:
        verdict: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return {**verdict, "table": list(_rows(verdict, words))}
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file: `make compare VERSION=... WITH=...` writes it") from error
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path}: damaged ({error}): `make compare VERSION=... WITH=...` writes it anew") from error


def _rows(verdict: dict[str, Any], words: Vocabulary) -> Iterator[Row]:
    measured, trial = verdict["measured"], verdict["trial"]
    if measured:
        for name, title in (("errors", "mean squared error"), ("rankings", "nDCG@10")):
            if measured[name]:
                yield _measured(title, measured[name])
        for name, title in (("ratings", "ratings"), ("users", "users"), ("movies", words.items)):
            one, other = measured["version"][name], measured["other"][name]
            yield Row(f"{title} known", f"{one:,}", f"{other:,}", _signed(one - other, 0))
    if trial:
        one, other = trial["canary"], trial["default"]
        for name, title in (("p50_ms", "median, ms"), ("p99_ms", "99th percentile, ms")):
            if one[name] is not None and other[name] is not None:
                yield Row(title, f"{one[name]:.1f}", f"{other[name]:.1f}", _signed(one[name] - other[name], 1))
        yield Row("requests that failed", f"{one['errors']:,}", f"{other['errors']:,}", "")
    size, others = (number / _MIB for number in verdict["bytes"])
    yield Row("size, MiB", f"{size:.1f}", f"{others:.1f}", _signed(size - others, 1))


def _measured(title: str, figures: dict[str, Any]) -> Row:
    version, other = (f"{figures[side]:.4f}" for side in ("version", "other"))
    return Row(
        title, version, other, f"{figures['difference']:+.4f}", f"{figures['low']:+.4f} to {figures['high']:+.4f}"
    )


def _signed(value: float, digits: int) -> str:
    """With its sign, unless it is nothing once it is rounded."""
    return f"{value:+,.{digits}f}" if round(value, digits) else "0"
