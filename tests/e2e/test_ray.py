"""The ASGI server on a local Ray cluster, in a separate process."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.e2e.project import ROOT, Project, environment, free_ports

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(find_spec("ray") is None, reason="needs the group cluster")]
DEADLINE_S = 1200


def test_replicas_scale_with_load_and_a_new_version_loses_no_request(project: Project) -> None:
    """Takes half a minute: each of four replicas loads torch, and Ray adds one only after seconds of load."""
    script = Path(__file__).with_name("rolling_on_ray.py")
    own = {"PYTHONPATH": str(ROOT), "RAY_USAGE_STATS_ENABLED": "0", "PATH": os.environ["PATH"]}
    done = subprocess.run(
        [sys.executable, str(script), str(project.folder / "model-store"), *free_ports(1)],
        cwd=project.folder,
        env={**environment(), **own},
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert set(told["seen"]) == {"200 1.0", "200 1.1"}, "a request was lost or refused"
    assert (told["few"], told["most"]) == (1, 2)
    assert told["after"] == [200, 404], "the former version is gone and the new one answers"
