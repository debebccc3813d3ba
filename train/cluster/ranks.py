"""The processes of a training on a Ray cluster: actors, which join a group of their own.

Ray places them and notices that one was lost; everything between them is train/parts.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from typing import Any

import ray
from ray.actor import ActorHandle
from ray.exceptions import RayActorError, RayTaskError
from ray.util import get_node_ip_address
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from train.cluster.connect import ClusterError, cores_of_cluster
from train.cluster.preparing import launcher_of_cluster
from train.errors import DivergedError
from train.parts.config import PartsConfig
from train.parts.folder_checks import TooManyProcessesError
from train.parts.group import Group, LostProcessError, free_port
from train.parts.preparing import prepared_for
from train.parts.run import run

_GRACE_S = 20.0  # for the others to end once a process has failed
_MOST_LOSSES = 4


@ray.remote(max_restarts=0)
class Rank:
    """One process of the group."""

    def address(self) -> str:
        """Where the first process can be joined."""
        host = get_node_ip_address()
        return f"tcp://{host}:{free_port(host)}"

    def train(self, config: PartsConfig, address: str, rank: int, world: int) -> dict[str, Any]:
        """As `train.parts.run.run`."""
        return run(config, Group(address if world > 1 else None, rank, world))


@dataclass(frozen=True)
class Wanted:
    """How many processes to start, 0 for one a core, and how long to wait for the cores and for lost nodes."""

    processes: int
    deadline_s: float


def train_on_ranks(config: PartsConfig, wanted: Wanted) -> dict[str, Any]:
    """Prepares and trains on a connected cluster; goes on with the processes that are left if one is lost.

    Raises:
        ClusterError: there are too few cores, or processes are lost again and again.
        ValueError, OSError, DivergedError: as in a training in one process.
    """
    prepared_for(config, launcher_of_cluster(wanted.deadline_s))
    config = replace(config, resume=True)  # goes on from the prepared folder, and after a loss from the last sweep
    try:
        return _train_with(wanted.processes or cores_of_cluster(wanted.deadline_s), config, wanted)
    except TooManyProcessesError as error:
        if wanted.processes:
            raise
        return _train_with(error.parts, config, wanted)


def _train_with(world: int, config: PartsConfig, wanted: Wanted) -> dict[str, Any]:
    """Trains with so many processes, and with fewer once one is lost."""
    lost = ""
    for attempt in range(_MOST_LOSSES):
        ranks: list[ActorHandle] = []
        try:
            ranks = _start(world, wanted)
            return _run(ranks, config)
        except (LostProcessError, RayActorError) as error:  # the latter where a node ends while processes start
            lost = str(error).splitlines()[0]
        finally:
            for one in ranks:
                ray.kill(one)
        if attempt + 1 == _MOST_LOSSES:
            break
        world = min(world, cores_of_cluster(wanted.deadline_s))
        told = f"a process was lost; {world} go on after the last sweep that was kept"
        print(f"train: {told}", file=sys.stderr, flush=True)
    raise ClusterError(f"processes were lost {_MOST_LOSSES} times ({lost}): RESUME=1 goes on where the training ended")


def _start(world: int, wanted: Wanted) -> list[ActorHandle]:
    """The actors, the first one on this node, which has the folder of the version."""
    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    first = Rank.options(num_cpus=0, scheduling_strategy=here).remote()  # type: ignore[attr-defined]
    others = [Rank.options(num_cpus=1, scheduling_strategy="SPREAD").remote() for _ in range(world - 1)]  # type: ignore[attr-defined]
    ranks = [first, *others]
    begun = [one.address.remote() for one in ranks]
    there, missing = ray.wait(begun, num_returns=world, timeout=wanted.deadline_s)
    if missing:
        for one in ranks:
            ray.kill(one)
        told = f"{world} processes did not start within {wanted.deadline_s:g} s, only {len(there)} of them did"
        cores = f"the cluster has {cores_of_cluster(wanted.deadline_s)} cores"
        raise ClusterError(f"{told}; {cores}: add nodes, ask for fewer PROCESSES, or wait longer (--deadline)")
    ray.get(there)
    return ranks


def _run(ranks: list[ActorHandle], config: PartsConfig) -> dict[str, Any]:
    """Trains; returns what the first process returns. Raises LostProcessError if one is lost."""
    address = str(ray.get(ranks[0].address.remote()))
    running = [one.train.remote(config, address, rank, len(ranks)) for rank, one in enumerate(ranks)]
    failures = _failures(running)
    for told in (ValueError, OSError, DivergedError):  # which make the other processes lose this one
        for failure in failures:
            if isinstance(failure, told):
                raise failure
    if failures:
        raise LostProcessError(str(failures[0]).splitlines()[0])
    metrics: dict[str, Any] = ray.get(running[0])
    return metrics


def _failures(running: list[ray.ObjectRef]) -> list[Exception]:
    """Waits for all processes, and for a moment only once one has failed; returns what went wrong.

    Raises:
        Exception: a fault of ours.
    """
    failures: list[Exception] = []
    left = running
    while left:
        done, left = ray.wait(left, timeout=_GRACE_S if failures else None)
        if not done:
            break
        try:
            ray.get(done)
        except RayActorError as error:
            failures.append(error)
        except RayTaskError as error:
            if not isinstance(error.cause, (ValueError, OSError, DivergedError, LostProcessError)):
                raise
            failures.append(error.cause)
    return failures
