"""CPU time and memory of a process with a child, as a front end with a worker."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from bench import usage

WORKER = """
import time
kept = bytearray(96 << 20)
while time.process_time() < 1:
    pass
print("ready", flush=True)
input()
"""
FRONT = "import subprocess, sys; sys.exit(subprocess.call([sys.executable, '-c', sys.argv[1]]))"


@pytest.fixture
def front_end() -> Iterator[int]:
    """The PID of a front end whose worker has used a second of CPU and holds 96 MiB."""
    command = [sys.executable, "-c", FRONT, WORKER]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process.pid
        process.communicate("\n")


def test_cpu_time_of_workers_is_separate(front_end: int) -> None:
    spent = usage.cpu_time(front_end)
    assert spent.worker_user_s + spent.worker_kernel_s >= 0.9
    assert spent.front_user_s + spent.front_kernel_s < 0.9
    assert usage.whole_server(front_end)[0] >= sum(spent)


def test_memory_is_that_of_the_front_end_and_of_the_largest_worker(front_end: int) -> None:
    memory = usage.memory(front_end)
    assert memory.largest_worker_mib > 96 > memory.front_mib > 0
    assert 96 < usage.whole_server(front_end)[1] < memory.front_mib + memory.largest_worker_mib
