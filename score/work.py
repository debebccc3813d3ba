"""The work of one process: make parts, and report after each batch how many users are done."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from model.artifact import load_artifact
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


def do(work: Work) -> Iterator[int]:
    """Makes and writes the parts; yields the number of users after each batch of them."""
    torch.set_num_threads(1)  # processes are the parallelism: threads of one would stall the others
    model = ServedModel.from_artifact(replace(load_artifact(work.artifact), compiled_head=work.compiled_head))
    maker = ListMaker(model, work.wanted)
    size = min(max(_BATCH_PAIRS // len(model.movie_ids), _FEWEST_USERS), _MOST_USERS)
    for number, asked in work.parts:
        lists: list[BestList] = []
        for start in range(0, len(asked), size):
            call = Call(model)
            batch = asked.part(start, start + size)
            lists += maker.lists(batch.users(model, call), call)
            yield len(batch)
        known = asked.rows(model) != model.user_ids.unknown
        work.folder.write(number, table_of(asked.ids, known, lists, model.movie_ids, model.words))
