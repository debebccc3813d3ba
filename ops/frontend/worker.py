#!/usr/bin/env -S python3 -IS
"""What TorchServe runs as the Python of a worker. It orders the worker at the warm process (ops/frontend/warm.py).

Without a warm process that answers, it runs the worker as usual. TorchServe takes this program for the worker, so both
end together.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from pathlib import Path

# This file. Its first line finds Python by PATH, which begins with the folder of ours (ops/process/launch.py).
PROGRAM = Path(__file__).resolve()
# The variable with the address of the warm process.
ADDRESS = "NCF_WARM_PROCESS"
# The variable that tells a forked worker the PID of the front end, which is not its parent.
FRONT_END = "NCF_FRONT_END"
# What ops/frontend/warm.py adds to the address, as the name of a file that is there once its imports are done.
READY = ".ready"
# How long the warm process may take to answer: after its imports it forks at once, unless it hangs.
IMPORT_TIMEOUT_S, _FORK_TIMEOUT_S = 60.0, 5.0


def can_order() -> bool:
    """Whether this system can run this file, and fork workers."""
    return os.access(PROGRAM, os.X_OK) and hasattr(os, "pidfd_open")


def main() -> None:
    """Runs the worker until it ends."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as warm_process:
        if _started(warm_process):
            warm_process.settimeout(None)
            warm_process.recv(1)  # returns once the worker has ended
            sys.exit(1)
    os.execv(sys.executable, [sys.executable, *sys.argv[1:]])  # noqa: S606  # nosec B606


def _started(warm_process: socket.socket) -> bool:
    """Whether the warm process has forked the worker."""
    order = {
        "arguments": sys.argv[1:],
        "folder": str(Path.cwd()),
        "environment": {**os.environ, FRONT_END: str(os.getppid())},
    }
    try:
        address = os.environ[ADDRESS]
        warm_process.settimeout(_FORK_TIMEOUT_S if Path(address + READY).exists() else IMPORT_TIMEOUT_S)
        warm_process.connect(address)
        socket.send_fds(warm_process, [json.dumps(order).encode()], [0, 1, 2])
        return bool(warm_process.recv(100))
    except OSError:
        return False


if __name__ == "__main__":
    main()
