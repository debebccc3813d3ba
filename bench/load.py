"""Closed-loop load with wrk: every connection sends its next request when its last is answered."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

_SCRIPT = """
local requests, index = {{}}, 0
function init()
  local file = io.open("{bodies}", "rb")
  local length = file:read("*n")
  while length do
    file:read(1)
    requests[#requests + 1] = wrk.format("POST", nil, nil, file:read(length))
    length = file:read("*n")
  end
end
function request()
  index = index % #requests + 1
  return requests[index]
end
function done(summary, latency, requests)
  local errors = summary.errors
  io.stderr:write(string.format(
    '{{"requests": %d, "duration_s": %f, "p50_ms": %f, "p99_ms": %f, "refused": %d, "broken": %d}}',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
"""


@dataclass(frozen=True)
class Load:
    """The figures of wrk. Refused requests (status 400 or more) and broken connections do not count as answers."""

    connections: int
    answered_per_s: float
    p50_ms: float
    p99_ms: float
    refused: int
    broken: int


def wrk_version() -> str:
    """The version of wrk, such as "debian/4.1.0-3+b2"; `wrk -v` prints it and then exits with 1."""
    return subprocess.run(["wrk", "-v"], capture_output=True, text=True, check=False).stdout.split()[1]


def run_wrk(
    url: str, bodies: Sequence[bytes], connections: int, seconds: int, headers: Mapping[str, str] | None = None
) -> Load:
    """Sends `bodies` in turn over `connections` for `seconds`; `headers` are added to the Content-Type of JSON.

    Raises:
        RuntimeError: wrk is not installed, or it failed.
    """
    if shutil.which("wrk") is None:
        raise RuntimeError("wrk is not installed; on Debian: apt-get install wrk")
    with TemporaryDirectory() as folder:
        (Path(folder) / "bodies").write_bytes(b"".join(b"%d\n%b\n" % (len(body), body) for body in bodies))
        (Path(folder) / "load.lua").write_text(_SCRIPT.format(bodies=Path(folder) / "bodies"))
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s"]
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            command += ["-H", f"{name}: {value}"]
        command += ["-s", f"{folder}/load.lua", url]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = re.search(r"\{.*\}", done.stderr)
    if done.returncode or found is None:
        raise RuntimeError(f"wrk failed: {done.stderr or done.stdout}")
    reported: dict[str, Any] = json.loads(found[0])
    answered = reported["requests"] - reported["refused"]
    return Load(
        connections=connections,
        answered_per_s=answered / reported["duration_s"],
        p50_ms=reported["p50_ms"],
        p99_ms=reported["p99_ms"],
        refused=reported["refused"],
        broken=reported["broken"],
    )
