"""Compiles the plugin: `make frontend`. The jar lies in the repository, so that nobody who serves needs a compiler.

TorchServe 0.12.0 lets the first request of a batch wait for others, at least 1 ms, and no setting ends that. The plugin
does. The same source and compiler make the same jar, byte for byte.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from model.files import atomic_write

FOLDER = Path(__file__).parent
SOURCE = FOLDER / "java"
JAR = FOLDER / "never-wait.jar"
# TorchServe runs with a JRE of 17 and later.
JAVA_RELEASE = "17"
# The earliest time that a zip file can hold: a jar does not tell when it was built.
NO_TIME = (1980, 1, 1, 0, 0, 0)


def main() -> int:
    """Writes the jar anew; 1 where javac is missing or refuses the source."""
    try:
        with atomic_write(JAR) as unfinished:
            build(unfinished)
    except FileNotFoundError:
        print("no javac here: install a JDK of 17 or later (Debian: openjdk-17-jdk-headless)", file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as error:
        print(error.stderr, file=sys.stderr)
        return 1
    print(f"{JAR.name}: {JAR.stat().st_size} bytes")
    return 0


def build(jar: Path) -> None:
    """Compiles the source into a jar.

    Raises:
        FileNotFoundError: there is no javac.
        subprocess.CalledProcessError: javac refused the source; `stderr` says why.
    """
    with tempfile.TemporaryDirectory() as folder:
        classes = Path(folder)
        command = ["javac", "--release", JAVA_RELEASE, "-Xlint:all,-path", "-Werror", "-proc:none", "-g:none"]
        command += ["-cp", str(_server_jar()), "-d", str(classes)]
        command += [str(path) for path in sorted(SOURCE.rglob("*.java"))]
        subprocess.run(command, check=True, capture_output=True, text=True)
        contents = {path.relative_to(classes).as_posix(): path.read_bytes() for path in classes.rglob("*.class")}
    for path in (SOURCE / "META-INF").rglob("*.*"):
        contents[path.relative_to(SOURCE).as_posix()] = path.read_bytes()
    with zipfile.ZipFile(jar, "w") as archive:
        for name, content in sorted(contents.items()):
            archive.writestr(zipfile.ZipInfo(name, NO_TIME), content, zipfile.ZIP_DEFLATED)


def _server_jar() -> Path:
    """TorchServe's own classes, which the plugin extends."""
    package = importlib.util.find_spec("ts")
    assert package is not None
    assert package.origin is not None
    return Path(package.origin).parent / "frontend" / "model-server.jar"


if __name__ == "__main__":
    sys.exit(main())
