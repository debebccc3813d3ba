"""`python -m ops.refresh.history`: list all versions with their data, errors, rankings, verdicts and reigns.

It prints the table, writes the same to build/history.json, and plots it in build/history.png.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from model.files import atomic_write
from ops.build.shelf import ARTIFACT, BUILD, PRUNED, VERDICT, Shelf
from ops.command import failing_in_one_line
from ops.refresh.facts import facts_of
from ops.refresh.reigns import Reign, reigns
from ops.settings import read_settings
from ops.store.record import read_record

HISTORY, PICTURE = "history.json", "history.png"
_COLUMNS = ("version", "made by", "data", "ratings", "users", "RMSE", "nDCG@10", "verdict", "served")


def history(shelf: Shelf) -> list[dict[str, Any]]:
    """The versions, the oldest first. Removed versions are included, from the notes that were kept about them.

    Raises:
        ValueError: a record is damaged.
    """
    times = reigns(read_record(shelf.store))
    found = [_told(shelf, version, times.get(version, [])) for version in _versions(shelf)]
    return sorted(found, key=lambda one: (one.get("created") or "", one["version"]))


def _versions(shelf: Shelf) -> set[str]:
    folders = [*shelf.build.glob(f"*/{ARTIFACT}"), *shelf.build.glob(f"*/{PRUNED}")]
    return {path.parent.name for path in folders}


def _told(shelf: Shelf, version: str, times: list[Reign]) -> dict[str, Any]:
    facts = {"version": version, **facts_of(shelf, version), "reigns": [reign._asdict() for reign in times]}
    path = shelf.folder(version) / VERDICT
    if not path.is_file():
        return {**facts, "verdict": None}
    verdict = json.loads(path.read_text(encoding="utf-8"))
    measured = {name: (verdict["measured"] or {}).get(name) for name in ("errors", "rankings")}
    return {**facts, "verdict": verdict["verdict"], "with": verdict["with"], **measured}


def table(versions: list[dict[str, Any]]) -> str:
    """The history as text, one line per version."""
    lines = [list(_COLUMNS), *(_cells(one) for one in versions)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(_line(cells, widths) for cells in lines)


def _cells(one: dict[str, Any]) -> list[str]:
    counts = [f"{one[name]:,}" if one.get(name) is not None else "-" for name in ("ratings", "users")]
    # An update is not measured again: the figures would be those of its base.
    own = one.get("of") == one["version"]
    figures = [f"{one[name]:.4f}" if own and one.get(name) is not None else "-" for name in ("rmse", "ndcg")]
    made = [one["version"], one.get("way") or "-", one.get("data") or "-"]
    return [*made, *counts, *figures, _verdict(one), "; ".join(_served(one)) or "never"]


def _verdict(one: dict[str, Any]) -> str:
    if one["verdict"] is None:
        return "-"
    told = f"{one['verdict'].split(',')[0]} against {one['with']}"
    for name, measure in (("errors", "MSE"), ("rankings", "nDCG@10")):
        if one.get(name):
            told += f", {measure} {one[name]['difference']:+.4f}"
    return told


def _served(one: dict[str, Any]) -> Iterator[str]:
    for reign in one["reigns"]:
        begun = datetime.fromisoformat(reign["begun"])
        yield f"{begun:%Y-%m-%d %H:%M} to " + (
            f"{datetime.fromisoformat(reign['ended']):%Y-%m-%d %H:%M}" if reign["ended"] else "now"
        )


def _line(cells: list[str], widths: list[int]) -> str:
    return "  ".join(f"{cell:{width}}" for cell, width in zip(cells, widths, strict=True)).rstrip()


def _draw(versions: list[dict[str, Any]], build: Path) -> Path:
    """Writes the history as JSON. `train` draws the picture, so that all pictures have the same style."""
    with atomic_write(build / HISTORY) as partial:
        partial.write_text(json.dumps(versions, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    words = ["--history", str(build / HISTORY), "--out", str(build / PICTURE)]
    subprocess.run([sys.executable, "-m", "train.evaluation.history", *words], check=True)
    return build / PICTURE


def main(arguments: list[str] | None = None) -> None:
    """Prints the history and draws it."""
    parser = argparse.ArgumentParser(prog="python -m ops.refresh.history", description=__doc__.splitlines()[0])
    parser.add_argument("--config", type=Path, default=Path("config.properties"))
    options = parser.parse_args(arguments)
    known = (ValueError, OSError, subprocess.CalledProcessError)
    with failing_in_one_line("history", known, "history: interrupted"):
        shelf = Shelf(BUILD, read_settings(options.config, Path.cwd()).model_store)
        versions = history(shelf)
        if not versions:
            raise ValueError(f"no version in {BUILD}: `make train` makes one")
        print(table(versions), flush=True)
        print(f"wrote {_draw(versions, BUILD)}")


if __name__ == "__main__":
    main()
