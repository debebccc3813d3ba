"""Checks of the Dockerfile that need no build; tests/e2e/test_image.py runs the built image."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.image import ROOT, values

DOCKERFILE = ROOT / "ops" / "container" / "Dockerfile"
HADOLINT = Path(sys.executable).with_name("hadolint")


def lint(path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([HADOLINT, "--failure-threshold", "style", path], capture_output=True, text=True)


@pytest.mark.parametrize("name", ["Dockerfile", "refresh.Dockerfile"])
def test_hadolint_finds_nothing(name: str) -> None:
    done = lint(DOCKERFILE.with_name(name))
    assert (done.returncode, done.stdout) == (0, "")


def test_hadolint_finds_a_misspelt_instruction(tmp_path: Path) -> None:
    broken = tmp_path / "Dockerfile"
    broken.write_text(DOCKERFILE.read_text().replace("HEALTHCHECK", "HEALTHCHEK"))
    assert lint(broken).returncode != 0


def test_image_runs_as_a_numeric_user_that_is_not_root() -> None:
    assert [re.fullmatch(r"[1-9]\d{4,}:[1-9]\d{4,}", user) is not None for user in values("USER")] == [True]


@pytest.mark.parametrize("name", ["Dockerfile", "refresh.Dockerfile"])
def test_every_copied_file_exists_and_is_not_ignored(name: str) -> None:
    ignore = DOCKERFILE.with_name(f"{name}.dockerignore").read_text().splitlines()
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE.with_name(name).read_text(), flags=re.MULTILINE)
    for name in (name for line in copied for name in line.split()):
        assert (ROOT / name).exists()
        assert f"!{name}" in ignore


@pytest.mark.parametrize(
    ("variant", "index", "passes"),
    [("cpu", "", False), ("cpu", "file:///wheels", True), ("gpu", "", True), ("tpu", "", False), ("gpu", "x", False)],
)
def test_build_needs_the_index_of_cpu_builds_of_torch(variant: str, index: str, passes: bool) -> None:
    [check] = re.findall(r"^RUN (case .*?esac)$", DOCKERFILE.read_text(), flags=re.MULTILINE | re.DOTALL)
    arguments = {"VARIANT": variant, "TORCH_INDEX": index, "PATH": "/usr/bin:/bin"}
    done = subprocess.run(["sh", "-euc", check.replace("\\\n", " ")], env=arguments, capture_output=True, text=True)
    assert (done.returncode == 0) is passes, done.stderr
    assert passes or "VARIANT" in done.stderr
