"""`python -m score.cluster`: a scoring on a Ray cluster; `make score CLUSTER=auto`."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from score.__main__ import INTERRUPTED, parse_config
from score.config import ScoreConfig
from score.run import score
from train.cluster.installed import refuse_without_ray
from train.command import run_command
from train.option_rules import check_value


@dataclass(frozen=True, kw_only=True)
class ClusterConfig(ScoreConfig):
    """Write the best movies of every user of a version, as Parquet files, on a Ray cluster.

    The options for reading files apply to `--ratings`.
    """

    cluster: str = "auto"
    """Address of the Ray cluster's head, such as 10.0.0.1:6379; `auto` finds the one of this machine."""
    deadline: float = 120.0
    """Seconds to wait for a free core; above 0."""

    def check(self) -> None:
        """Raises ValueError where a value is not in the range that its docstring gives."""
        super().check()
        check_value("deadline", self.deadline, self.deadline > 0, "above 0")


def main(arguments: list[str] | None = None) -> int:
    """Parses options and scores; returns the exit status."""
    given = sys.argv[1:] if arguments is None else arguments
    return run_command("score", lambda: _score(given), INTERRUPTED)


def _score(arguments: list[str]) -> str:
    config = parse_config(arguments, ClusterConfig)
    config.check()
    refuse_without_ray()
    from score.cluster.tasks import do_on_cluster
    from train.cluster.connect import connected

    with connected(config.cluster, "score"):
        return score(config, lambda work: do_on_cluster(work, config.processes, config.deadline))


if __name__ == "__main__":
    sys.exit(main())
