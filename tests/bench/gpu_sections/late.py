"""A section that finds something, starts a process in another session, and hangs; SIGTERM does not end it."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator

from bench.gpu.section import Context, Row, measured

SLEEP = "import time; time.sleep(600)"


def run(context: Context) -> Iterator[Row]:  # noqa: ARG001
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sleeper = subprocess.Popen([sys.executable, "-c", SLEEP], start_new_session=True)
    yield measured("process", sleeper.pid, "")
    time.sleep(600)
