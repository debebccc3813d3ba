"""Work on the cores of the connected cluster: a task for each item.

A task whose process or node was lost is started again. Ray would do this too, but without end if a node has too little
memory.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import ray
from ray.exceptions import GetTimeoutError, RayError, RayTaskError
from tqdm import tqdm

from train.cluster.connect import ClusterError, cores_of_cluster
from train.errors import DataError

# Tasks for each core, so that none waits for its next item.
_AHEAD = 2
_MOST_LOSSES = 4
_LOOK_EVERY_S = 1.0
_END_S = 10.0  # for tasks that are no longer needed

_Item = TypeVar("_Item")


@dataclass(frozen=True)
class Tasks(Generic[_Item]):
    """How items are worked on.

    start: sends an item to a core. name: of an item. command, way_on: who speaks, and what helps after too many losses.
    deadline_s: to wait for the first core. most: items at once; 0 means those that keep all cores busy.
    """

    start: Callable[[_Item], ray.ObjectRef]
    name: Callable[[_Item], str]
    command: str
    way_on: str
    deadline_s: float
    most: int = 0

    def results(self, items: Iterable[_Item]) -> Iterator[tuple[_Item, Any]]:
        """Each item with what its task returned, as soon as it has.

        Raises:
            ClusterError: no core is free within the deadline, or an item is lost again and again.
            DataError: a task raised it.
        """
        waiting = deque((item, 0) for item in items)
        running: dict[ray.ObjectRef, tuple[_Item, int]] = {}
        if waiting:
            self._wait_for_a_core()
        try:
            while waiting or running:
                room = self.most or _AHEAD * cores_of_cluster(self.deadline_s)
                while waiting and len(running) < room:
                    item, losses = waiting.popleft()
                    running[self.start(item)] = item, losses
                done, _ = ray.wait(list(running), timeout=_LOOK_EVERY_S)
                for task in done:
                    item, losses = running.pop(task)
                    try:
                        result = ray.get(task)
                    except RayTaskError as error:
                        if isinstance(error.cause, DataError):
                            raise error.cause from None
                        raise
                    except RayError as error:
                        waiting.appendleft((item, self._lost(item, losses + 1, error)))
                    else:
                        yield item, result
        finally:
            _end(list(running))

    def _wait_for_a_core(self) -> None:
        try:
            ray.get(_start.remote(), timeout=self.deadline_s)
        except GetTimeoutError:
            cores = int(ray.cluster_resources().get("CPU", 0))
            told = f"CLUSTER: no core was free within {self.deadline_s:g} s; the cluster has {cores}"
            raise ClusterError(f"{told}: wait for what runs there, or add nodes") from None

    def _lost(self, item: _Item, losses: int, error: RayError) -> int:
        """Says that an item was lost, unless it was lost too often; returns how often."""
        why = str(error).splitlines()[0]
        if losses == _MOST_LOSSES:
            told = f"CLUSTER: {self.name(item)} was lost {losses} times ({why})"
            raise ClusterError(f"{told}: {self.way_on}") from None
        tqdm.write(f"{self.command}: {self.name(item)} was lost and is made again: {why}", file=sys.stderr)
        return losses


def _end(tasks: list[ray.ObjectRef]) -> None:
    """Ends tasks that are no longer needed, so that they write nothing more."""
    for task in tasks:
        ray.cancel(task, force=True)
    if tasks:
        ray.wait(tasks, num_returns=len(tasks), timeout=_END_S)


@ray.remote(num_cpus=1)
def _start() -> None:
    """Says that a core was free."""
