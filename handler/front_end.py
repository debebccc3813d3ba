"""A worker's front end, and whether TorchServe runs it with the plugin that lets no request wait (ops/frontend).

TorchServe takes `plugins_path` from the folder where it starts, and says nothing if the plugin is not there.
"""

from __future__ import annotations

import os
from pathlib import Path

# The variable that tells it to a worker that the warm process forked (ops/frontend/worker.py).
FRONT_END = "NCF_FRONT_END"
PLUGIN = "never-wait.jar"
WAITING = (
    f"requests wait for maxBatchDelay: TorchServe runs without the plugin {PLUGIN}; "
    "start it in the folder of config.properties, or write the whole path after plugins_path="
)


def front_end_pid() -> int:
    """The PID of this worker's front end. It is the parent, unless the warm process forked the worker."""
    return int(os.environ.get(FRONT_END, os.getppid()))


def has_plugin(pid: int) -> bool | None:
    """Whether the plugin is on the class path of this process; None if it is no front end, or cannot be looked at."""
    process = Path(f"/proc/{pid}")
    try:
        arguments = (process / "cmdline").read_text(encoding="utf-8", errors="surrogateescape").split("\0")
        folder = (process / "cwd").readlink()
    except OSError:
        return None
    if "-cp" not in arguments or "org.pytorch.serve.ModelServer" not in arguments:
        return None
    entries = arguments[arguments.index("-cp") + 1].split(":")
    jars = (entry.removesuffix("*") + PLUGIN if entry.endswith("*") else entry for entry in entries)
    return any(Path(jar).name == PLUGIN and (folder / jar).is_file() for jar in jars)
