"""`python -m train.cluster`: a training by parts on a Ray cluster; `make train CLUSTER=auto`."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from importlib.util import find_spec

from train.__main__ import parse_options, refuse_to_replace, told_of
from train.command import run_command
from train.dataset.reading import Reading
from train.option_rules import check_value
from train.parts.config import PartsConfig

_INSTALL = ".venv/bin/python -m pip install -c constraints.txt --group cluster"


@dataclass(frozen=True)
class ClusterConfig(PartsConfig):
    """Options of `python -m train.cluster`.

    Raises:
        ValueError: a value is not in the range that its docstring gives.
    """

    cluster: str = "auto"
    """Address of the Ray cluster's head, such as 10.0.0.1:6379; `auto` finds the one of this machine."""
    processes: int = 0
    """Number of processes, each on a core; 0 means one for each core of the cluster."""
    deadline: float = 120.0
    """Seconds to wait for the cores; above 0."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_value("processes", self.processes, self.processes >= 0, "at least 0")
        check_value("deadline", self.deadline, self.deadline > 0, "above 0")


def main(arguments: list[str] | None = None) -> int:
    """Parses options, trains, prints the table; returns the exit status."""
    given = sys.argv[1:] if arguments is None else arguments
    return run_command("train", lambda: _train(given), "nothing was overwritten, --resume continues")


def _train(arguments: list[str]) -> str:
    if find_spec("ray") is None:
        raise ValueError(f"CLUSTER: Ray is not installed: `{_INSTALL}` installs it")
    from train.cluster.ranks import Wanted, connected, train_on_ranks

    config = parse_options(arguments, ClusterConfig)
    refuse_to_replace(config)
    shared = PartsConfig(**{name: getattr(config, name) for name in PartsConfig.__dataclass_fields__})
    with connected(config.cluster):
        metrics = train_on_ranks(shared, Wanted(config.processes, config.deadline))
    read = Reading(**metrics["data"]["reading"]).text()
    return f"{read}\n{told_of(config, metrics)}"


if __name__ == "__main__":
    sys.exit(main())
