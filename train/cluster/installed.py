"""Whether Ray is installed; the other modules of this room import it."""

from __future__ import annotations

from importlib.util import find_spec

_INSTALL = ".venv/bin/python -m pip install -c constraints.txt --group cluster"


def refuse_without_ray() -> None:
    """Raises ValueError, with the command that installs it, where Ray is not installed."""
    if find_spec("ray") is None:
        raise ValueError(f"CLUSTER: Ray is not installed: `{_INSTALL}` installs it")
