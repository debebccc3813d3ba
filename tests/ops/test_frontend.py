"""The plugin's jar in the repository equals its compiled source."""

import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from ops.frontend.build import JAR, build

pytestmark = pytest.mark.skipif(
    not (shutil.which("javac") and shutil.which("javap")), reason="no JDK to compile the plugin with"
)


def code(jar: Path) -> dict[str, str]:
    """Each file of a jar by name. Classes are shown as instructions, because compilers order constants differently."""
    with zipfile.ZipFile(jar) as archive:
        return {name: _shown(jar, name) or archive.read(name).decode() for name in archive.namelist()}


def _shown(jar: Path, name: str) -> str | None:
    if not name.endswith(".class"):
        return None
    command = ["javap", "-private", "-c", "-cp", str(jar), name.removesuffix(".class").replace("/", ".")]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_committed_jar_equals_the_compiled_source(tmp_path: Path) -> None:
    build(tmp_path / "built.jar")
    assert code(tmp_path / "built.jar") == code(JAR)


def test_the_same_source_makes_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one.jar", "other.jar"):
        build(tmp_path / name)
    assert (tmp_path / "one.jar").read_bytes() == (tmp_path / "other.jar").read_bytes()
