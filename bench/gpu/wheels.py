"""The packages that the bundle carries: downloads their wheels for the bare machine's Python, and unpacks them."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from collections.abc import Iterable
from pathlib import Path

from bench.gpu.contents import PACKAGES
from bench.machine import ROOT

# pip takes wheels for exactly these versions of glibc, and the machine's may be newer.
_PLATFORMS = [f"manylinux_2_{minor}_x86_64" for minor in (28, 27, 26, 24, 17, 12, 5)]


def download(folder: Path, python: str) -> list[Path]:
    """Downloads the wheels for a version of Python that the folder lacks, and returns them all.

    Raises:
        OSError: pip failed; the message holds the last line that it wrote.
    """
    pinned = versions(PACKAGES)
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--only-binary=:all:", "--implementation", "cp", "--python-version", python, "--dest", str(folder)]
    command += [word for platform in _PLATFORMS for word in ("--platform", platform)]
    missing = [f"{name}=={version}" for name, version in pinned.items() if not _wheels(folder, name, version, python)]
    if missing:
        done = subprocess.run([*command, *missing], capture_output=True, text=True)
        if done.returncode:
            raise OSError(f"pip download failed: {(done.stderr.strip().splitlines() or ['it gave no reason'])[-1]}")
    return [wheel for name, version in pinned.items() for wheel in _wheels(folder, name, version, python)]


def versions(names: Iterable[str], constraints: Path = ROOT / "constraints.txt") -> dict[str, str]:
    """The version of each package in constraints.txt.

    Raises:
        KeyError: the file does not have a package.
    """
    lines = (line.partition("#")[0].strip() for line in constraints.read_text(encoding="utf-8").splitlines())
    known = {_plain(name): version for name, _, version in (line.partition("==") for line in lines if line)}
    return {name: known[_plain(name)] for name in names}


def unpack(wheels: Iterable[Path], site: Path) -> None:
    """Unpacks wheels into one folder, as an installation does, with the permissions of their programs."""
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as file:
            for entry in file.infolist():
                path = Path(file.extract(entry, site))
                if not entry.is_dir() and (mode := entry.external_attr >> 16 & 0o777):
                    path.chmod(mode | 0o600)


def _wheels(folder: Path, name: str, version: str, python: str) -> list[Path]:
    """The wheel of this version in the folder, if it is there: NAME-VERSION-PYTHON-ABI-PLATFORM.whl."""
    tag = f"cp{python.replace('.', '')}"
    found = []
    for path in sorted(folder.glob("*.whl")):
        its_name, its_version, its_python, its_abi = path.stem.split("-")[:4]
        fits = tag in its_python.split(".") or its_abi in ("abi3", "none")
        if (_plain(its_name), its_version, fits) == (_plain(name), version, True):
            found.append(path)
    return found[:1]


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
