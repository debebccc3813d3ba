"""The parts as tasks of a Ray cluster, each on a core.

A task returns its part, and this process writes it. So the nodes need the artifact, but not the folder of the lists.
A task whose process or node was lost is started again, and nothing half-made stays. Ray would do this too, but without
end if a node has too little memory.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

import pyarrow as pa
import ray
from ray.exceptions import GetTimeoutError, RayError, RayTaskError
from ray.util import get_node_ip_address
from tqdm import tqdm

from score.asked import AskedUsers
from score.cluster.loaded import Scoring, part_maker
from score.work import Work
from train.cluster.connect import ClusterError, cores_of_cluster
from train.errors import DataError

# Tasks for each core, so that none waits for its next part.
_AHEAD = 2
_MOST_LOSSES = 4
_LOOK_EVERY_S = 1.0


@dataclass
class _Part:
    """A part, its users, and how many times its process or node was lost."""

    number: int
    asked: AskedUsers
    losses: int = 0


def do_on_cluster(work: Work, most: int, deadline_s: float) -> Iterator[int]:
    """Makes the parts on the connected cluster and writes them; yields the number of users of each.

    most: how many parts to make at once; 0 means one on each core.

    Raises:
        ClusterError: no core is free within the deadline, or a part is lost again and again.
        DataError: a node does not have the artifact.
        OSError: a part cannot be written.
    """
    scoring = Scoring.of(work)
    _wait_for_a_core(deadline_s)
    waiting = deque(_Part(number, asked) for number, asked in work.parts)
    running: dict[ray.ObjectRef, _Part] = {}
    while waiting or running:
        room = most or _AHEAD * cores_of_cluster(deadline_s)
        while waiting and len(running) < room:
            part = waiting.popleft()
            running[_make_part.remote(scoring, part.asked)] = part
        done, _ = ray.wait(list(running), timeout=_LOOK_EVERY_S)
        for one in done:
            part = running.pop(one)
            table = _result(one, part)
            if table is None:
                waiting.appendleft(part)
            else:
                work.folder.write(part.number, table)
                yield len(part.asked)


def _wait_for_a_core(deadline_s: float) -> None:
    try:
        ray.get(_start.remote(), timeout=deadline_s)
    except GetTimeoutError:
        cores = int(ray.cluster_resources().get("CPU", 0))
        told = f"CLUSTER: no core was free within {deadline_s:g} s; the cluster has {cores}"
        raise ClusterError(f"{told}: wait for what runs there, or add nodes") from None


def _result(task: ray.ObjectRef, part: _Part) -> pa.Table | None:
    """What the task of a part returned; None if it was lost."""
    try:
        return ray.get(task)
    except RayTaskError as error:
        if not isinstance(error.cause, DataError):
            raise
        raise error.cause from None
    except RayError as error:
        part.losses += 1
        if part.losses == _MOST_LOSSES:
            told = f"CLUSTER: part {part.number} was lost {_MOST_LOSSES} times ({_first_line(error)})"
            raise ClusterError(f"{told}: the same command goes on with the parts that are missing") from None
        tqdm.write(f"score: part {part.number} was lost and is made again: {_first_line(error)}", file=sys.stderr)
        return None


def _first_line(error: RayError) -> str:
    return str(error).splitlines()[0]


@ray.remote(num_cpus=1)
def _start() -> None:
    """Says that a core was free."""


@ray.remote(num_cpus=1, max_retries=0)
def _make_part(scoring: Scoring, asked: AskedUsers) -> pa.Table:
    try:
        maker = part_maker(scoring)
    except (ValueError, OSError) as error:
        told = f"node {get_node_ip_address()}: {error}"
        raise DataError(f"{told}: all nodes need the version's file at this path") from None
    return maker.table(asked, list(chain.from_iterable(maker.batches(asked))))
