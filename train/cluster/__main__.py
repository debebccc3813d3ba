"""`python -m train.cluster`: a training by parts on a Ray cluster; `make train CLUSTER=auto`."""

from __future__ import annotations

import sys
from dataclasses import dataclass, fields
from pathlib import Path

from train.__main__ import parse_options, refuse_to_replace, told_of
from train.cluster.installed import refuse_without_ray
from train.command import run_command
from train.option_rules import check_value
from train.parts.config import PartsConfig
from train.readers.address import is_object_store


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
    config = parse_options(arguments, ClusterConfig)
    refuse_to_replace(config)
    refuse_without_ray()
    from train.cluster.connect import connected
    from train.cluster.ranks import Wanted, train_on_ranks

    with connected(config.cluster, "train"):
        metrics = train_on_ranks(_shared(config), Wanted(config.processes, config.deadline))
    return told_of(config, metrics)


def _shared(config: ClusterConfig) -> PartsConfig:
    """The options of each process, with paths that do not depend on the folder that it works in."""
    options = {one.name: getattr(config, one.name) for one in fields(PartsConfig)}
    for name in ("out", "movies", "events", "test_file"):
        options[name] = options[name] and options[name].absolute()
    if not is_object_store(config.data):
        options["data"] = str(Path(config.data).absolute())
    return PartsConfig(**options)


if __name__ == "__main__":
    sys.exit(main())
