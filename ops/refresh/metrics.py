"""Figures of the last run for Prometheus, as a text file that node_exporter's textfile collector reads."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from model.files import atomic_write

PROMOTED, KEPT, WAITED, FAILED = "promoted", "kept", "waited", "failed"
OUTCOMES = (PROMOTED, KEPT, WAITED, FAILED)
_SUCCESS = "ncf_refresh_success_timestamp_seconds"


@dataclass(frozen=True)
class Outcome:
    """How a run ended: `name` is one of OUTCOMES; `default` is the version that is now served."""

    name: str
    new_ratings: int = 0
    default: str = ""


def write_metrics(path: Path, outcome: Outcome, seconds: float) -> None:
    """Replaces the file. If this run failed, the time of the last success does not change."""
    now = time.time()
    success = _last_success(path) if outcome.name == FAILED else now
    lines = [
        *_metric("ncf_refresh_run_timestamp_seconds", "When the last refresh ended.", now),
        *_metric(_SUCCESS, "When a refresh last ended without a failure; 0 for never.", success),
        *_metric("ncf_refresh_seconds", "How long the last refresh took.", seconds),
        *_metric("ncf_refresh_new_ratings", "Ratings that the last refresh found new.", outcome.new_ratings),
        "# HELP ncf_refresh_outcome How the last refresh ended: 1 for that outcome, 0 for the others.",
        "# TYPE ncf_refresh_outcome gauge",
    ]
    lines += [f'ncf_refresh_outcome{{outcome="{one}"}} {int(one == outcome.name)}' for one in OUTCOMES]
    lines += [
        "# HELP ncf_refresh_default_info The default version after the last refresh.",
        "# TYPE ncf_refresh_default_info gauge",
        f'ncf_refresh_default_info{{version="{outcome.default}"}} 1',
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as partial:
        partial.write_text("\n".join(lines) + "\n", encoding="utf-8")
        partial.chmod(0o644)  # node_exporter runs as another user


def _metric(name: str, told: str, value: float) -> list[str]:
    return [f"# HELP {name} {told}", f"# TYPE {name} gauge", f"{name} {value:.3f}"]


def _last_success(path: Path) -> float:
    if not path.is_file():
        return 0.0
    found = [
        line.split()[1] for line in path.read_text(encoding="utf-8").splitlines() if line.startswith(f"{_SUCCESS} ")
    ]
    return float(found[0]) if found else 0.0
