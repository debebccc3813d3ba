"""A preparation on the cluster: each file of ratings is a task, and so are each few parts of the prepared folder.

Nodes write into the folder, so all of them must see it. A second writer of the same file does no harm, so a task that
was lost runs again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import ray

from train.cluster.tasks import Tasks
from train.errors import DataError
from train.prepared.launch import Launcher

_Piece = TypeVar("_Piece")
_Result = TypeVar("_Result")


@dataclass(frozen=True)
class _Failed:
    """What went wrong with a piece. It is raised at its turn, so the first faulty file is told, as on one machine."""

    error: DataError | OSError


def launcher_of_cluster(deadline_s: float) -> Launcher:
    """Does the pieces on the connected cluster. deadline_s: to wait for the first core.

    What it returns raises ClusterError if no core is free in time, or if a piece is lost again and again.
    """

    def launch(
        work: Callable[[_Piece], _Result], pieces: Sequence[_Piece], name: Callable[[_Piece], str]
    ) -> Iterator[_Result]:
        tasks: Tasks[int] = Tasks(
            start=lambda place: _work.remote(work, pieces[place]),
            name=lambda place: name(pieces[place]),
            command="train",
            way_on="the same command starts anew",
            deadline_s=deadline_s,
        )
        yield from _in_order(tasks.results(range(len(pieces))))

    return launch


def _in_order(results: Iterator[tuple[int, Any]]) -> Iterator[Any]:
    """The results by their numbers. Raises what went wrong with the first piece that failed."""
    early: dict[int, Any] = {}
    turn = 0
    for place, result in results:
        early[place] = result
        while turn in early:
            own = early.pop(turn)
            if isinstance(own, _Failed):
                raise own.error
            yield own
            turn += 1


@ray.remote(num_cpus=1, max_retries=0)
def _work(work: Callable[[Any], Any], piece: Any) -> Any:
    try:
        return work(piece)
    except (DataError, OSError) as error:
        return _Failed(error)
