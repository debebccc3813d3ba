"""ops/nginx/canary.conf: a share of the traffic for a canary, or a copy of all of it, and a report of both."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from ops.canary.log import read_log
from tests.e2e.nginx import needs_nginx, run_nginx, upstream
from tests.e2e.project import Project
from tests.e2e.test_serving import in_process
from tests.waiting import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("alone_afterwards"), needs_nginx]

REQUESTS = 60


def ask_all(both: Project, pair: dict[str, Any], folder: Path, changes: dict[str, str]) -> tuple[Counter[str], Path]:
    """How many answers had each version's rating, and the log."""
    ratings = {f"{in_process(both, [pair], version)[0]:.3f}": version for version in ("1.0", "1.1")}
    assert len(ratings) == 2
    with run_nginx("canary.conf", folder, {**upstream(both), **changes}) as proxy:
        answers = [proxy.client.post("/predictions/ncf", json=pair).json() for _ in range(REQUESTS)]
        assert proxy.client.post("/predictions/ncf/1.1", json=pair).status_code == 200  # other paths pass
    return Counter(ratings[f"{answer['rating']:.3f}"] for answer in answers), folder / "ncf-versions.log"


def test_failing_canary_is_reported_and_clients_see_no_error(
    served: Project, pair: dict[str, Any], tmp_path: Path
) -> None:
    with run_nginx("canary.conf", tmp_path, {**upstream(served), "5% /1.1;": "", "# mirror": "mirror"}) as proxy:
        assert proxy.client.post("/predictions/ncf", json=pair).status_code == 200  # 1.1 is not registered
        log = tmp_path / "ncf-versions.log"
        wait_until(lambda: log.read_text().count("\n") == 2, "the copy of the request is answered too")
    printed = served.run(".venv/bin/python", "-m", "ops.canary.log", str(tmp_path / "ncf-versions.log")).stdout
    assert re.search(r"^1\.1 +1 +1 +0 ", printed, re.MULTILINE)


def test_a_share_of_the_requests_is_answered_by_the_canary(both: Project, pair: dict[str, Any], tmp_path: Path) -> None:
    answered, log = ask_all(both, pair, tmp_path, {"5% /1.1;": "50% /1.1;"})
    assert answered["1.0"] > REQUESTS // 5
    assert answered["1.1"] > REQUESTS // 5
    with log.open() as lines:
        assert Counter(entry["version"] for entry in read_log(lines)) == answered

    printed = both.run(".venv/bin/python", "-m", "ops.canary.log", str(log), "--requests", "requests.jsonl").stdout
    for version in ("1.0", "1.1"):
        assert re.search(rf"^{re.escape(version)} +{answered[version]} +0 +0 +[\d.]+ +[\d.]+$", printed, re.MULTILINE)
    assert "wrote requests.jsonl, 1 body" in printed
    assert [json.loads(line) for line in (both.folder / "requests.jsonl").read_text().splitlines()] == [pair]


def test_shadow_gets_every_request_and_answers_no_client(both: Project, pair: dict[str, Any], tmp_path: Path) -> None:
    on = {"5% /1.1;": "", "# mirror /shadow;": "mirror /shadow;"}
    answered, log = ask_all(both, pair, tmp_path, on)
    assert answered == {"1.0": REQUESTS}
    with log.open() as lines:
        entries = list(read_log(lines))
    assert Counter(entry["version"] for entry in entries) == {"1.0": REQUESTS, "1.1": REQUESTS}
    assert {entry["status"] for entry in entries} == {"200"}
    assert len({entry["body"] for entry in entries}) == 1
