"""The verdict on a version: as `build/VERSION/verdict.json`, and as text."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from model.files import atomic_write
from model.vocabulary import counted
from ops.build.shelf import VERDICT, Shelf
from ops.canary.decision import CANNOT_TELL, Decision, decide
from ops.canary.measured import MeasureError, measure
from ops.canary.trial import Report

_MIB = 2**20


@dataclass(frozen=True)
class Verdict:
    """`version` against `other`: the decision, and everything that it is based on.

    figures: the output of `python -m train.compare`; {} if nothing could be measured. requests: describes the requests.
    """

    version: str
    other: str
    decision: Decision
    figures: Mapping[str, Any]
    trial: Report | None
    requests: str
    sizes: tuple[int, int]

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        if self.trial is not None:
            yield str(self.trial)
            yield f"requests: {self.requests}"
        if self.figures:
            yield f"measured on {rows_in_words(self.figures)}"
        size, other = (f"{one / _MIB:.1f} MiB" for one in self.sizes)
        yield f"size: {size} against {other}"
        yield f"verdict on {self.version} against {self.other}: {self.decision.verdict}"
        yield from (f"  {reason}" for reason in self.decision.reasons)


def judge(version: str, other: str, shelf: Shelf, data: str | None, trial: Report | None, requests: str) -> Verdict:
    """Measures both versions and decides. If they cannot be measured, the verdict is `cannot tell`, with the reason."""
    sizes = _size(version, shelf), _size(other, shelf)
    try:
        figures = measure(version, other, shelf, data)
    except MeasureError as error:
        decision = Decision(CANNOT_TELL, (str(error),))
        return Verdict(version, other, decision, {}, trial, requests, sizes)
    return Verdict(version, other, decide(figures, trial), figures, trial, requests, sizes)


def write_verdict(verdict: Verdict, shelf: Shelf) -> Path:
    """Writes the verdict into the version's folder in one step; returns the path."""
    folder = shelf.folder(verdict.version)
    folder.mkdir(parents=True, exist_ok=True)
    told = {
        "version": verdict.version,
        "with": verdict.other,
        "verdict": verdict.decision.verdict,
        "reasons": list(verdict.decision.reasons),
        "rows": rows_in_words(verdict.figures) if verdict.figures else "",
        "measured": verdict.figures,
        "trial": None if verdict.trial is None else asdict(verdict.trial),
        "requests": verdict.requests,
        "bytes": list(verdict.sizes),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    with atomic_write(folder / VERDICT) as partial:
        partial.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return folder / VERDICT


def rows_in_words(figures: Mapping[str, Any]) -> str:
    """Describes the ratings that both versions were measured on, and the models that represented them."""
    rows = figures["rows"]
    age = "the newest" if rows["newest"] else "of any age"
    models = " and ".join(_model(figures[side]) for side in ("version", "other"))
    told = f"{counted(rows['number'], 'rating')}, {age}, that neither model was trained on: {models}"
    adopted = [one["version"] for one in (figures["version"], figures["other"]) if one["adopted"]]
    known = f"; whether {' and '.join(adopted)}, trained elsewhere, saw them is not known" if adopted else ""
    return told + known


def _model(side: Mapping[str, Any]) -> str:
    if side["judged"] == "served":
        return f"{side['version']} as it is served"
    ratings = f"{side['judged_ratings']:,} of its {counted(side['ratings'], 'rating')}"
    return f"{side['version']} as it was measured, on {ratings}"


def _size(version: str, shelf: Shelf) -> int:
    return next(
        (path.stat().st_size for path in (shelf.artifact(version), shelf.archive(version)) if path.is_file()), 0
    )
