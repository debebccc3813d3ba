"""The result of the Dockerfile's last stage, built in a folder and run without a container engine.

The COPY and RUN lines are executed in the folder, except those that add users. The image runs in its own mount
namespace, in which only the volumes are writable, and in a user namespace with the image's user and no capability.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import IO

ROOT = Path(__file__).parents[2]
PLACE = "/srv/ncf"
_OTHERS = ("groupadd", "useradd", "chown")


@dataclass(frozen=True)
class Instruction:
    """One line of the Dockerfile, continued lines joined."""

    word: str
    rest: str


def last_stage(dockerfile: Path = ROOT / "ops" / "container" / "Dockerfile") -> list[Instruction]:
    """The instructions after the last FROM."""
    text = re.sub(r"^#.*\n", "", dockerfile.read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    found = [Instruction(*line.split(maxsplit=1)) for line in text.splitlines() if line.strip()]
    return found[max(place for place, one in enumerate(found) if one.word == "FROM") + 1 :]


def values(word: str) -> list[str]:
    """The arguments of each instruction with this name."""
    return [one.rest for one in last_stage() if one.word == word]


class Image:
    """The image, built in `folder`, which stands for /srv/ncf; `folder`/tmp stands for /tmp."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.own: dict[str, str] = {}  # variables that override the image's ENV
        self.user, self.group = values("USER")[0].split(":")
        volumes = [*json.loads(values("VOLUME")[0]), f"{PLACE}/model-store"]
        self.writable = [self._here(volume) for volume in volumes]

    def lay(self) -> None:
        """Does the steps of the build."""
        shims = self.folder / "tmp" / "shims"
        shims.mkdir(parents=True)
        for name in _OTHERS:
            (shims / name).symlink_to("/bin/true")
        for one in last_stage():
            if one.word == "COPY":
                self._copy(one.rest)
            elif one.word == "RUN":
                path = f"{shims}:{os.environ['PATH']}"
                subprocess.run(["sh", "-euc", one.rest], cwd=self.folder, env={"PATH": path}, check=True)
        shutil.rmtree(shims)

    def environment(self) -> dict[str, str]:
        """The image's ENV, with this folder in place of its own."""
        pairs = (pair.split("=", 1) for line in values("ENV") for pair in shlex.split(line))
        known = {name: value.replace(PLACE, str(self.folder)) for name, value in pairs}
        known["PATH"] = known["PATH"].replace("$PATH", os.environ["PATH"])
        return {**known, "TMPDIR": str(self.folder / "tmp"), "HOME": str(self.folder / "tmp")}

    def start(
        self, *command: str, output: IO[str] | int = subprocess.PIPE, **environment: str
    ) -> subprocess.Popen[str]:
        """Runs a command of the image as its user, with a read-only root."""
        mounts = [f"mount --bind {folder} {folder}" for folder in self.writable]
        enter = f"cd {self.folder}; exec unshare --user --map-user={self.user} --map-group={self.group}"
        script = "; ".join([*mounts, "mount -o remount,bind,ro /", f'{enter} setpriv --no-new-privs "$@"'])
        return subprocess.Popen(
            ["unshare", "--mount", "sh", "-euc", script, "sh", *command],
            env={**self.environment(), **self.own, **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Runs a command to its end."""
        with self.start(*command) as process:
            output, _ = process.communicate(timeout=900)
        return subprocess.CompletedProcess(command, process.returncode, output)

    def _here(self, path: str) -> Path:
        return self.folder / path.removeprefix(f"{PLACE}/").removeprefix("/")

    def _copy(self, rest: str) -> None:
        if rest.startswith("--from="):
            (self.folder / ".venv").symlink_to(Path(sys.executable).parent.parent)
            return
        *sources, target = rest.split()
        for source in sources:
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, self.folder / target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                (self.folder / target).mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / source, self.folder / target)


def can_isolate() -> bool:
    """Whether this process may create the namespaces that `start` needs."""
    command = ["unshare", "--mount", "unshare", "--user", "--map-user=10001", "true"]
    try:
        return subprocess.run(command, capture_output=True).returncode == 0
    except FileNotFoundError:
        return False
