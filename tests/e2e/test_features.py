"""The running server gives the answers of docs/features.md."""

import pytest

from tests.bench.test_features import FEATURES, shown
from tests.e2e.conftest import Project

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("feature", FEATURES)
def test_command_shows_the_feature(served: Project, feature: str) -> None:
    command, holds = shown()[feature]
    printed = served.run("bash", "-ec", served.on_our_ports(command)).stdout
    for answer in holds:
        assert served.on_our_ports(answer) in printed
