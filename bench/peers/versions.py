"""The versions of wrk and of the packages in each peer's environment."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable

from bench.load import wrk_version
from bench.peers.processes import interpreter
from bench.peers.servers import SERVERS

# Packages that every peer's environment shares with this one; their versions are named as in "triton: numpy".
SHARED = ("torch", "numpy")
_TELL = "import sys, json; from importlib.metadata import version; print(json.dumps([*map(version, sys.argv[1:])]))"


def peers_versions(names: Iterable[str]) -> dict[str, str]:
    """The versions of wrk, of the peers' own packages, and of the packages that each peer shares with this project.

    Raises:
        FileNotFoundError: a peer is not installed.
        subprocess.CalledProcessError: a peer's environment lacks a package.
    """
    found = {"wrk": wrk_version()}
    shared: dict[str, str] = {}
    for name in names:
        if packages := SERVERS[name].packages:
            own = dict(zip((*packages, *SHARED), _installed(name, (*packages, *SHARED)), strict=True))
            found |= {package: own[package] for package in packages}
            shared |= {f"{name}: {package}": own[package] for package in SHARED}
    return found | shared


def _installed(peer: str, packages: tuple[str, ...]) -> list[str]:
    command = [str(interpreter(peer)), "-c", _TELL, *packages]
    found: list[str] = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return found
