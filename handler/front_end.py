"""Whether TorchServe's front end runs with the plugin that lets no request wait: ops/frontend has it.

TorchServe takes `plugins_path` from the folder where it starts, and says nothing if the plugin is not there.
"""

from __future__ import annotations

from pathlib import Path

PLUGIN = "never-wait.jar"
WAITING = (
    f"requests wait for maxBatchDelay: TorchServe runs without the plugin {PLUGIN}; "
    "start it in the folder of config.properties, or write the whole path after plugins_path="
)


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
