"""What a scoring can be told."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from model.artifact import Artifact
from model.ranking import RANKINGS, RankBy
from score.lists import Wanted
from train.readers.options import ReaderOptions


@dataclass(frozen=True, kw_only=True)
class ScoreConfig(ReaderOptions):
    """Options of `python -m score`; those of reading go for `--ratings`."""

    artifact: Path = Path("build/1.0/ncf.pt")
    """The artifact of the version that scores."""
    out: Path = Path("best.parquet")
    """Folder for the lists, Parquet files; the same command again writes those that are missing."""
    users: Path | None = None
    """File of user ids (CSV, Parquet, JSON, .npy), each once; by default all users that the version knows."""
    ratings: str | Path | None = None
    """Ratings that count beside the version's own; their users are scored, new ones too."""
    top_k: int = 10
    """Most movies of a list; at least 1."""
    rank_by: RankBy | None = None
    """What sorts a list; by default the blend, and the rating where the version has no interest part."""
    genres: tuple[str, ...] = ()
    """Only movies that have one of these genres."""
    exclude_seen: bool = True
    """Leave out the movies that the user rated."""
    exact: bool = False
    """Rate every pair where the rating sorts; else, in a large catalogue, the 1,000 most likely movies of each user."""
    processes: int = 0
    """Processes at once; 0 stands for one a core."""
    part_users: int = 4_096
    """Users of one file; at least 1."""

    def check(self) -> None:
        """Raises ValueError where a value is outside what its line allows."""
        for name, least in (("top_k", 1), ("part_users", 1), ("processes", 0)):
            if getattr(self, name) < least:
                option = f"--{name.replace('_', '-')}"
                raise ValueError(f"{option}: got {getattr(self, name)}, allowed: {least} or more")
        if self.users is not None and self.ratings is not None:
            raise ValueError("--users and --ratings: got both, allowed is one: the ratings name their users")

    @property
    def most_processes(self) -> int:
        """How many processes may work at once."""
        return self.processes or len(os.sched_getaffinity(0))

    def wanted(self, artifact: Artifact) -> Wanted:
        """The lists that are asked for.

        Raises:
            ValueError: the version has no such genre, or cannot rank so.
        """
        known = artifact.catalogue.genres
        for genre in self.genres:
            if genre not in known:
                allowed = ", ".join(known) or f"none, the version has no {artifact.words.tags}"
                raise ValueError(f"--genres: got {genre}, allowed: {allowed}")
        rankings: tuple[RankBy, ...] = RANKINGS if artifact.interest is not None else ("rating",)
        rank_by = self.rank_by or rankings[0]
        if rank_by not in rankings:
            raise ValueError(f"--rank-by: got {rank_by}, allowed: rating, since this version has no interest part")
        return Wanted(self.top_k, rank_by, self.genres, self.exclude_seen, self.exact)
