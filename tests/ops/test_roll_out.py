"""The roll-out over two replicas that keep their versions in files; tests/e2e/test_roll_out.py has a real one."""

import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "ops" / "kubernetes" / "roll_out.sh"
# A stand-in that keeps each replica's versions in a file, in the format of `list`. It refuses the command in REFUSED.
KUBECTL = """#!/bin/sh
cd "$(dirname "$0")"
case "$*" in *"$REFUSED"*) exit 1;; esac
[ "$3" = get ] && exec echo ncf-0 ncf-1
[ "$1" = --namespace ] && [ "$3" = exec ] || exit 2
pod=$4
while [ "$1" != ops.versions ]; do shift; done
case $2 in
    list) ;;
    register) echo "$4" >> $pod;;
    promote) grep -qE "^$4( |$)" $pod && sed -i "s/ .*//; s/^$4$/$4 yes/" $pod;;
    unregister) grep -q "^$4 yes" $pod && exit 1; sed -i "/^$4$/d" $pod;;
esac
cat $pod
"""


@pytest.fixture
def replicas(tmp_path: Path) -> Path:
    (tmp_path / "kubectl").write_text(KUBECTL)
    (tmp_path / "kubectl").chmod(0o755)
    for name in ("ncf-0", "ncf-1"):
        (tmp_path / name).write_text("1.0 yes\n")
    return tmp_path


def roll_out(folder: Path, version: str, refused: str = "nothing") -> subprocess.CompletedProcess[str]:
    environment = {"PATH": f"{folder}:{os.environ['PATH']}", "REFUSED": refused}
    command = [str(SCRIPT), version, "--namespace", "ncf"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240)


def held(folder: Path) -> list[str]:
    return [(folder / name).read_text() for name in ("ncf-0", "ncf-1")]


def test_roll_out_replaces_the_version_of_every_replica_and_can_return(replicas: Path) -> None:
    for version in ("1.1", "1.0"):
        done = roll_out(replicas, version)
        assert done.returncode == 0, done.stderr
        assert held(replicas) == [f"{version} yes\n"] * 2
    assert "the default everywhere" in roll_out(replicas, "1.0").stdout


@pytest.mark.parametrize(
    ("refused", "says"),
    [
        ("ncf-1 --container ncf -- python -m ops.versions register", "ncf-1 refused version 1.1"),
        ("ncf-1 --container ncf -- python -m ops.versions promote", "ncf-1 did not promote version 1.1"),
    ],
)
def test_a_version_that_one_replica_refuses_is_undone_on_all(replicas: Path, refused: str, says: str) -> None:
    done = roll_out(replicas, "1.1", refused)
    assert done.returncode == 1
    assert says in done.stderr
    assert held(replicas) == ["1.0 yes\n"] * 2


def test_replicas_with_different_versions_are_not_changed(replicas: Path) -> None:
    (replicas / "ncf-1").write_text("0.9 yes\n")
    done = roll_out(replicas, "1.1")
    assert done.returncode == 1
    assert "ncf-1 answers with 0.9, and the one before it with 1.0" in done.stderr
    assert held(replicas) == ["1.0 yes\n", "0.9 yes\n"]


def test_a_former_version_still_in_use_is_kept_and_reported(replicas: Path) -> None:
    done = roll_out(replicas, "1.1", "ncf-0 --container ncf -- python -m ops.versions unregister --version 1.0")
    assert done.returncode == 0
    assert "ncf-0 still holds version 1.0" in done.stderr
    assert held(replicas) == ["1.0\n1.1 yes\n", "1.1 yes\n"]
