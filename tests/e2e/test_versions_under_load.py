"""Versions are registered, promoted and removed under constant load: no request is lost or gets a wrong answer."""

import pytest

from bench.rollout import change_under_load
from ops.versions.rollout import Rollout
from tests.e2e.failing import needs_load
from tests.e2e.project import Project

pytestmark = [pytest.mark.e2e, needs_load]


def test_no_request_is_lost_and_every_answer_matches_its_version(served: Project) -> None:
    package = [".venv/bin/python", "-m", "train.package", "--artifact", "build/1.1/ncf.pt"]
    served.run(*package, "--version", "1.2")
    rollout = Rollout(served.client, served.settings)
    rollout.register("1.1")
    outcome = change_under_load(served.settings, ("1.0", "1.1"), third="1.2", promotions=6)
    rollout.unregister("1.1")
    assert outcome.sent > 100
    assert (outcome.lost, outcome.refused, outcome.wrong) == (0, {}, []), str(outcome)
    assert outcome.answered_by.keys() == {"1.0", "1.1"}
