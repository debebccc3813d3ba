"""The running server gives the answers of docs/features.md."""

import pytest

from tests.bench.test_features import FEATURES, shown
from tests.e2e.project import Project

pytestmark = pytest.mark.e2e


def assert_shown(project: Project, feature: str) -> None:
    """Runs the command of a feature, and checks what it prints."""
    command, holds = shown()[feature]
    printed = project.run("bash", "-ec", project.on_our_ports(command)).stdout
    for answer in holds:
        assert project.on_our_ports(answer) in printed


@pytest.mark.parametrize("feature", sorted(set(FEATURES) - {"auth"}))  # test_auth_verbs.py shows keys
def test_command_shows_the_feature(served: Project, feature: str) -> None:
    assert_shown(served, feature)
