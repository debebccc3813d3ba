"""The PromQL expressions of the rules and the dashboard, and the metrics in them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
RULES = ROOT / "ops" / "prometheus" / "rules.yaml"
DASHBOARD = ROOT / "ops" / "grafana" / "dashboard.json"
_WORDS = {"and", "or", "unless", "bool", "offset"}
# Matchers, windows, strings, lists of labels, numbers with a unit.
_BESIDE = r'\{[^}]*\}|\[[^\]]*\]|"[^"]*"|\b(?:by|without|on|ignoring)\s*\([^)]*\)|\boffset\s+\w+|\b\d[\w.]*'


def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    """The dashboard's panels, without the rows' headings."""
    found = json.loads(DASHBOARD.read_text())["panels"]
    return [panel for panel in found if panel["type"] != "row"]


def dashboard_queries() -> Iterator[str]:
    """Each target's expression, as Grafana sends it for all instances and a window of a minute."""
    for panel in panels():
        for target in panel["targets"]:
            yield target["expr"].replace("$__rate_interval", "1m").replace("$instance", ".*")


def metric_names(expression: str) -> set[str]:
    """The metrics in an expression: all names that are neither functions nor keywords."""
    names = re.findall(r"[a-zA-Z_][\w:]*(?!\w|\s*\()(?![\w:]*\s*\()", re.sub(_BESIDE, " ", expression))
    return set(names) - _WORDS
