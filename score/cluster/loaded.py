"""The version in a process of a node: loaded once for all of its parts."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from model.artifact import load_artifact
from model.compiled_head import LIBRARY
from score.lists import Wanted
from score.work import PartMaker, Work
from train.errors import DataError


@dataclass(frozen=True)
class Scoring:
    """What all parts have in common. head: the content of the compiled library, so that all nodes rate alike."""

    artifact: Path
    digest: str
    head: bytes | None
    wanted: Wanted

    @classmethod
    def of(cls, work: Work) -> Scoring:
        """What the parts of this work have in common."""
        head = None if work.compiled_head is None else work.compiled_head.read_bytes()
        return cls(work.artifact.absolute(), work.folder.made_of["model"], head, work.wanted)


@lru_cache(maxsize=1)
def part_maker(scoring: Scoring) -> PartMaker:
    """Makes the parts in this process.

    Raises:
        DataError: the artifact of this node is another one.
        ArtifactError, OSError: it cannot be read.
    """
    artifact = load_artifact(scoring.artifact)
    found = artifact.metadata["digest"]
    if found != scoring.digest:
        raise DataError(f"{scoring.artifact}: got digest {found[:16]}, allowed: {scoring.digest[:16]}")
    if scoring.head is None:
        return PartMaker(artifact, None, scoring.wanted)
    with tempfile.TemporaryDirectory(prefix="ncf-score-") as code:  # which may go once the library is loaded
        library = Path(code) / LIBRARY
        library.write_bytes(scoring.head)
        return PartMaker(artifact, library, scoring.wanted)
