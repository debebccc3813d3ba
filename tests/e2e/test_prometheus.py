"""A real Prometheus with a real server: every query of the rules and the dashboard gives an answer."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.e2e import plain_http
from tests.e2e.conftest import Running
from tests.e2e.project import free_ports
from tests.ops.queries import RULES, dashboard_queries, metric_names, rules
from tests.waiting import DEADLINE_S, wait_until

pytestmark = pytest.mark.e2e
BODIES: list[Any] = [
    {"user_id": 4227, "movie_id": 66361},
    {"user_id": 1, "movie_id": 66361},
    {"user_id": 4227, "top_k": 2},
    {"instances": [{"user_id": 4227, "movie_id": 66361}]},
    {"user_id": "x"},
    {"user_id": Running.breaks_on, "movie_id": 1},
]


# The alerts of a slow server, which a busy machine may raise.
SLOW = {"NcfSlowBatches", "NcfQueueGrows"}


def send(running: Running) -> None:
    for body in BODIES:
        running.project.ask(body)


def exposed(running: Running) -> str:
    return plain_http.get(f"http://127.0.0.1:{running.project.ports['8082']}/metrics").text


def test_every_used_metric_is_exposed(running: Running) -> None:
    recorded = {rule["record"] for rule in rules() if "record" in rule} | {"up"}
    asked = set().union(*map(metric_names, [*dashboard_queries(), *(rule["expr"] for rule in rules())])) - recorded

    def missing() -> set[str]:
        send(running)  # a worker's figures come every five seconds
        return asked - set(re.findall(r"^([a-zA-Z_:][\w:]*)[{ ]", exposed(running), flags=re.MULTILINE))

    wait_until(lambda: not missing(), lambda: f"the metrics {missing()}", pause_s=1)


def test_a_workers_figures_name_its_version(running: Running) -> None:
    def found() -> list[str]:
        return [line for line in exposed(running).splitlines() if line.startswith("ncf_") and "front_end" not in line]

    wait_until(found, "a worker's figures")
    lines = found()
    assert all('ModelVersion="1.0"' in line for line in lines)


class Prometheus:
    """A client of one Prometheus."""

    def __init__(self, port: str) -> None:
        self._url = f"http://127.0.0.1:{port}"

    def query(self, expression: str) -> list[Any]:
        """The samples of an expression, now."""
        answer = plain_http.get(f"{self._url}/api/v1/query", params={"query": expression})
        assert answer.status_code == 200, f"{expression}: {answer.text}"
        found: list[Any] = answer.json()["data"]["result"]
        return found

    def until(self, expression: str, running: Running) -> None:
        """Returns once an expression has samples, sending traffic meanwhile."""

        def sampled() -> bool:
            send(running)
            return bool(self.query(expression))

        wait_until(sampled, f"a sample of {expression}", pause_s=1)

    def rules(self) -> list[dict[str, Any]]:
        groups = plain_http.get(f"{self._url}/api/v1/rules").json()["data"]["groups"]
        return [rule for group in groups for rule in group["rules"]]


@pytest.fixture(scope="module")
def prometheus(running: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """Debian's Prometheus with the project's configuration, except for the address and an interval of one second."""
    if shutil.which("prometheus") is None:
        pytest.skip("needs prometheus (Debian: prometheus)")
    folder: Path = tmp_path_factory.mktemp("prometheus")
    config = yaml.safe_load(RULES.with_name("prometheus.yaml").read_text())
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    config["rule_files"] = [str(RULES)]
    [job] = config["scrape_configs"]
    job["static_configs"] = [{"targets": [f"127.0.0.1:{running.project.ports['8082']}"]}]
    (folder / "prometheus.yaml").write_text(yaml.safe_dump(config))
    [port] = free_ports(1)
    command = ["prometheus", f"--config.file={folder / 'prometheus.yaml'}", f"--storage.tsdb.path={folder / 'data'}"]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen([*command, f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log)
    try:
        wait_until(lambda: answers(port), (folder / "log").read_text)
        yield Prometheus(port)
    finally:
        process.terminate()
        process.wait(DEADLINE_S)


def answers(port: str) -> bool:
    try:
        return plain_http.get(f"http://127.0.0.1:{port}/-/ready").status_code == 200
    except httpx.HTTPError:
        return False


def test_prometheus_takes_every_query_and_has_figures_for_the_dashboard(
    running: Running, prometheus: Prometheus
) -> None:
    prometheus.until('up{job="ncf"} == 1', running)
    for expression in dashboard_queries():
        prometheus.until(expression, running)
    for rule in rules():
        prometheus.query(rule["expr"])
        if "record" in rule:
            prometheus.until(rule["record"], running)
    assert {rule["health"] for rule in prometheus.rules()} == {"ok"}


def test_alerts_fire_only_for_faults(running: Running, prometheus: Prometheus) -> None:
    # One of the requests makes the model fail.
    prometheus.until('ALERTS{alertname="NcfErrors"}', running)
    raised = {rule["name"] for rule in prometheus.rules() if rule["type"] == "alerting" and rule["alerts"]}
    assert raised - SLOW == {"NcfErrors"}
