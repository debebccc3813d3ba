"""Compiles the plugin: `make frontend`. The repository contains the jar, so that serving needs no compiler.

TorchServe 0.12.0 makes the first request of a batch wait at least 1 ms for others, and no setting changes that. The
plugin does. The same source and compiler give the same jar, byte for byte.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from model.files import atomic_write
from model.terminal import begin_work
from ops.frontend.command import server_jar

FOLDER = Path(__file__).parent
SOURCE = FOLDER / "java"
JAR = FOLDER / "never-wait.jar"
# TorchServe runs with a JRE of 17 and later.
JAVA_RELEASE = "17"
# The earliest time in a zip file. With a fixed time, the jar does not depend on when it was built.
NO_TIME = (1980, 1, 1, 0, 0, 0)


def main() -> int:
    """Compiles the jar; returns 1 if javac is missing or refuses the source."""
    begin_work()
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
        FileNotFoundError: javac is not installed.
        subprocess.CalledProcessError: javac refused the source; `stderr` says why.
    """
    with tempfile.TemporaryDirectory() as folder:
        classes = Path(folder)
        command = ["javac", "--release", JAVA_RELEASE, "-Xlint:all,-path", "-Werror", "-proc:none", "-g:none"]
        command += ["-cp", str(server_jar()), "-d", str(classes)]
        command += [str(path) for path in sorted(SOURCE.rglob("*.java"))]
        subprocess.run(command, check=True, capture_output=True, text=True)
        contents = {path.relative_to(classes).as_posix(): path.read_bytes() for path in classes.rglob("*.class")}
    for path in (SOURCE / "META-INF").rglob("*.*"):
        contents[path.relative_to(SOURCE).as_posix()] = path.read_bytes()
    with zipfile.ZipFile(jar, "w") as archive:
        for name, content in sorted(contents.items()):
            archive.writestr(zipfile.ZipInfo(name, NO_TIME), content, zipfile.ZIP_DEFLATED)


if __name__ == "__main__":
    sys.exit(main())
