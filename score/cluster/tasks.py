"""The parts as tasks of a Ray cluster, each on a core.

A task returns its part, and this process writes it. So the nodes need the artifact, but not the folder of the lists,
and nothing half-made stays.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import pyarrow as pa
import ray
from ray.util import get_node_ip_address

from score.asked import AskedUsers
from score.cluster.loaded import Scoring, part_maker
from score.work import Work
from train.cluster.tasks import Tasks
from train.errors import DataError


def do_on_cluster(work: Work, most: int, deadline_s: float) -> Iterator[int]:
    """Makes the parts on the connected cluster and writes them; yields the number of users of each.

    most: how many parts to make at once; 0 means one on each core.

    Raises:
        ClusterError: no core is free within the deadline, or a part is lost again and again.
        DataError: a node does not have the artifact.
        OSError: a part cannot be written.
    """
    scoring = Scoring.of(work)
    tasks: Tasks[tuple[int, AskedUsers]] = Tasks(
        start=lambda part: _make_part.remote(scoring, part[1]),
        name=lambda part: f"part {part[0]}",
        command="score",
        way_on="the same command goes on with the parts that are missing",
        deadline_s=deadline_s,
        most=most,
    )
    for (number, asked), table in tasks.results(work.parts):
        work.folder.write(number, table)
        yield len(asked)


@ray.remote(num_cpus=1, max_retries=0)
def _make_part(scoring: Scoring, asked: AskedUsers) -> pa.Table:
    try:
        maker = part_maker(scoring)
    except (ValueError, OSError) as error:
        told = f"node {get_node_ip_address()}: {error}"
        raise DataError(f"{told}: all nodes need the version's file at this path") from None
    return maker.table(asked, list(chain.from_iterable(maker.batches(asked))))
