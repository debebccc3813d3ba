"""The work of one process: make parts, and report after each batch how many users are done."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import torch

from model.artifact import Artifact, load_artifact
from model.asks import Call, ServedModel
from score.asked import AskedUsers
from score.lists import BestList, ListMaker, Wanted
from score.parts import PartFolder, table_of

# Pairs of one batch, and its fewest and most users: bounds the memory of a process.
_BATCH_PAIRS, _FEWEST_USERS, _MOST_USERS = 2_000_000, 16, 512


@dataclass(frozen=True)
class Work:
    """What a process is given: parts by their numbers, each with its users."""

    artifact: Path
    compiled_head: Path | None
    wanted: Wanted
    folder: PartFolder
    parts: Sequence[tuple[int, AskedUsers]]

    def shares(self, processes: int) -> list[Work]:
        """This work, shared by at most so many processes."""
        number = min(processes, len(self.parts))
        return [replace(self, parts=self.parts[first::number]) for first in range(number)]


class PartMaker:
    """A loaded version, and what its lists hold."""

    def __init__(self, artifact: Artifact, compiled_head: Path | None, wanted: Wanted) -> None:
        torch.set_num_threads(1)  # processes are the parallelism: threads of one would stall the others
        self._model = ServedModel.from_artifact(replace(artifact, compiled_head=compiled_head))
        self._lists = ListMaker(self._model, wanted)
        self._batch_users = min(max(_BATCH_PAIRS // len(self._model.movie_ids), _FEWEST_USERS), _MOST_USERS)

    def batches(self, asked: AskedUsers) -> Iterator[list[BestList]]:
        """The lists of the users of a part, batch by batch."""
        for start in range(0, len(asked), self._batch_users):
            call = Call(self._model)
            batch = asked.part(start, start + self._batch_users)
            yield self._lists.lists(batch.users(self._model, call), call)

    def table(self, asked: AskedUsers, lists: Sequence[BestList]) -> pa.Table:
        """A part as its file has it."""
        known = asked.rows(self._model) != self._model.user_ids.unknown
        return table_of(asked.ids, known, lists, self._model.movie_ids, self._model.words)


def do(work: Work) -> Iterator[int]:
    """Makes and writes the parts; yields the number of users after each batch of them."""
    maker = PartMaker(load_artifact(work.artifact), work.compiled_head, work.wanted)
    for number, asked in work.parts:
        lists: list[BestList] = []
        for batch in maker.batches(asked):
            lists += batch
            yield len(batch)
        work.folder.write(number, maker.table(asked, lists))
