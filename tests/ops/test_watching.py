"""The scrape configuration, the rules and the dashboard, without a server; with promtool if it is installed."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from ops.refresh.metrics import Outcome, write_metrics
from tests.ops.queries import DASHBOARD, ROOT, dashboard_queries, metric_names, panels, rules

FOLDER = ROOT / "ops" / "prometheus"
METRICS = ROOT / "handler" / "metrics.yaml"
needs_promtool = pytest.mark.skipif(shutil.which("promtool") is None, reason="needs promtool (Debian: prometheus)")


def promtool(*arguments: str) -> None:
    done = subprocess.run(["promtool", *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
def test_prometheus_accepts_its_configuration_and_rules() -> None:
    promtool("check", "config", str(FOLDER / "prometheus.yaml"))


@needs_promtool
@pytest.mark.parametrize(
    ("name", "tests"), [("rules.yaml", "alerts_test.yaml"), ("refresh.yaml", "refresh_alerts_test.yaml")]
)
def test_each_alert_fires_exactly_when_it_should(tmp_path: Path, name: str, tests: str) -> None:
    text = Path(__file__).with_name(tests).read_text()
    (tmp_path / "alerts.yaml").write_text(text.replace("RULES", str(FOLDER / name)))
    promtool("test", "rules", str(tmp_path / "alerts.yaml"))
    tested = {alert["alertname"] for test in yaml.safe_load(text)["tests"] for alert in test.get("alert_rule_test", [])}
    groups = yaml.safe_load((FOLDER / name).read_text())["groups"]
    assert tested == {rule["alert"] for group in groups for rule in group["rules"] if "alert" in rule}


def test_refresh_alerts_use_metrics_that_the_refresh_writes(tmp_path: Path) -> None:
    write_metrics(tmp_path / "refresh.prom", Outcome("kept", 7, "1.0"), 3.5)
    written = {line.split("{")[0].split()[0] for line in (tmp_path / "refresh.prom").read_text().splitlines()}
    groups = yaml.safe_load((FOLDER / "refresh.yaml").read_text())["groups"]
    asked = [rule["expr"] for group in groups for rule in group["rules"]]
    assert set().union(*map(metric_names, asked)) <= written


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ('up{job="ncf"} == 0', {"up"}),
        ('sum by (le, pod) (rate(a_bucket{le="10.0"}[5m])) / 1e6 > 0.5', {"a_bucket"}),
        ("a:b:c > 1.5 * (d offset 6h) or e unless on (job) f", {"a:b:c", "d", "e", "f"}),
        ("histogram_quantile(0.99, sum(rate(x[1m]))) or vector(0)", {"x"}),
    ],
)
def test_names_are_found_in_expressions(expression: str, names: set[str]) -> None:
    assert metric_names(expression) == names


def test_every_metric_comes_from_the_server_or_a_recording_rule() -> None:
    sections = yaml.safe_load(METRICS.read_text())
    made = {
        one["name"]
        for section in ("ts_metrics", "model_metrics")
        for kind in sections[section].values()
        for one in kind
    }
    made |= {
        f"{one['name']}_{end}" for one in sections["ts_metrics"]["histogram"] for end in ("bucket", "count", "sum")
    }
    made |= {rule["record"] for rule in rules() if "record" in rule} | {"up"}
    asked = [*(rule["expr"] for rule in rules()), *dashboard_queries()]
    assert len(asked) > 40
    assert set().union(*map(metric_names, asked)) - made == set()


def test_the_dashboard_can_be_imported_for_any_data_source() -> None:
    dashboard = json.loads(DASHBOARD.read_text())
    variables = {one["name"]: one for one in dashboard["templating"]["list"]}
    assert variables["datasource"]["type"] == "datasource"
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(ids) == len(set(ids))
    for panel in panels():
        sources = [panel["datasource"], *(target["datasource"] for target in panel["targets"])]
        assert {source["uid"] for source in sources} == {"${datasource}"}
        assert panel["title"]
        assert panel["description"]


def test_panels_do_not_overlap() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells
