"""`python -m ops.frontend.cache`: records the start cache. With it, the front end starts with 40 % less CPU time.

Without a cache, the JVM loads and links all classes at each start. The cache holds them ready
(https://openjdk.org/jeps/514). To record it, this module starts the front end once without a model, and ends it. make
does so after it has installed the environment. A JVM that finds another Java or another TorchServe than those of the
cache says so, and starts without it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from importlib.util import find_spec
from pathlib import Path

from model.files import atomic_write
from model.terminal import begin_work
from ops.frontend.command import front_end_command
from ops.ports import free_ports

CACHE = Path(sys.prefix).resolve() / "front-end.aot"
_ROOT = Path(__file__).resolve().parents[2]
_START_TIMEOUT_S, _WRITE_TIMEOUT_S = 120, 120
# Java 25 mixes up the names of some adapters between compiled code and the interpreter, and warns at each start.
_WITHOUT_ADAPTERS = ["-XX:+UnlockDiagnosticVMOptions", "-XX:-AOTAdapterCaching"]
# The last line of a setting counts.
_OVERRIDES = """
inference_address=http://127.0.0.1:{}
management_address=http://127.0.0.1:{}
metrics_address=http://127.0.0.1:{}
grpc_inference_port={}
grpc_management_port={}
load_models=
"""


class RecordError(RuntimeError):
    """The cache was not recorded; the message says why."""


def cache_option(cache: Path = CACHE) -> list[str]:
    """What the JVM needs to use the cache; empty if there is no cache."""
    return [f"-XX:AOTCache={cache}"] if cache.is_file() else []


def record(cache: Path) -> None:
    """Writes the cache.

    Raises:
        RecordError: the front end did not start, or wrote no cache.
        OSError: Java cannot be run, or the cache cannot be written.
    """
    config = (_ROOT / "config.properties").read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory(prefix="ncf-record-") as name, atomic_write(cache) as unfinished:
        folder = Path(name)
        ports = free_ports(5)
        (folder / "handler").symlink_to(_ROOT / "handler")
        (folder / "model-store").mkdir()
        (folder / "config.properties").write_text(config + _OVERRIDES.format(*ports), encoding="utf-8")
        options = [*_WITHOUT_ADAPTERS, f"-XX:AOTCacheOutput={unfinished}"]
        command = front_end_command(folder / "config.properties", folder, folder, Path(sys.executable), options)
        _run(command, folder, f"http://127.0.0.1:{ports[0]}/ping")
        if not unfinished.is_file():
            raise RecordError(f"Java wrote no cache: {_last_line(folder)}")


def _run(command: list[str], folder: Path, url: str) -> None:
    """Runs the front end until it answers, and ends it; Java writes the cache before it is gone."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TS_")}
    environment |= {"TMPDIR": str(folder), "TEMP": str(folder)}
    with (folder / "console.log").open("wb") as console:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=console, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + _START_TIMEOUT_S
        while not _answers(url):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RecordError(f"the front end did not start: {_last_line(folder)}")
            time.sleep(0.1)
        process.terminate()
        process.wait(_WRITE_TIMEOUT_S)
    except subprocess.TimeoutExpired as error:
        raise RecordError(f"the front end did not end within {_WRITE_TIMEOUT_S} s") from error
    finally:
        process.kill()
        process.wait()


def _answers(url: str) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=5):
            return True
    except OSError:
        return False


def _last_line(folder: Path) -> str:
    lines = (folder / "console.log").read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1] if lines else "it gave no reason"


def main() -> None:
    """Records the cache, if TorchServe is installed. Where that fails, it says so: serving works without it."""
    if find_spec("ts") is None:  # Python 3.14
        return
    begin_work()
    try:
        record(CACHE)
    except (RecordError, OSError) as error:
        print(f"TorchServe will start without the start cache, which takes longer: {error}", file=sys.stderr)
        return
    print(f"{CACHE}: {CACHE.stat().st_size / 2**20:.0f} MiB")


if __name__ == "__main__":
    main()
