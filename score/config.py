"""The options of a scoring."""

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
    """Write the best movies of every user of a version, as Parquet files.

    The options for reading files apply to `--ratings`.
    """

    artifact: Path = Path("build/1.0/ncf.pt")
    """The artifact of the version that scores."""
    out: Path = Path("best.parquet")
    """Folder for the lists, as Parquet files. Repeat the command to write the missing ones."""
    users: Path | None = None
    """File of user ids (CSV, Parquet, JSON, .npy), without repeats. By default, all users that the version knows."""
    ratings: str | Path | None = None
    """Ratings to add to the version's own. All users in them get a list, including new ones."""
    events: Path | None = None
    """File of clicks, views or purchases to add to the version's own. All users in it get a list too."""
    top_k: int = 10
    """Maximum number of movies in a list; at least 1."""
    rank_by: RankBy | None = None
    """What sorts a list. By default the blend, or the rating if the version has no interest part."""
    genres: tuple[str, ...] = ()
    """Only movies that have one of these genres."""
    exclude_seen: bool = True
    """Leave out the movies that the user rated, and those of their events."""
    exact: bool = False
    """With --rank-by rating: rate every movie of a large catalogue, not only each user's 1,000 most likely ones."""
    processes: int = 0
    """Number of processes; 0 means one for each core."""
    part_users: int = 4_096
    """Users in one file; at least 1."""

    def check(self) -> None:
        """Raises ValueError where a value is not in the range that its docstring gives."""
        for name, least in (("top_k", 1), ("part_users", 1), ("processes", 0)):
            if getattr(self, name) < least:
                option = f"--{name.replace('_', '-')}"
                raise ValueError(f"{option}: got {getattr(self, name)}, allowed: {least} or more")
        for name in ("ratings", "events"):
            if self.users is not None and getattr(self, name) is not None:
                raise ValueError(f"--users and --{name}: got both, allowed is one: the {name} name their users")

    @property
    def most_processes(self) -> int:
        """How many processes may work at once."""
        return self.processes or len(os.sched_getaffinity(0))

    def wanted(self, artifact: Artifact) -> Wanted:
        """The lists that the options ask for.

        Raises:
            ValueError: the version does not have the genre, or cannot rank this way.
        """
        known = artifact.catalogue.genres
        for genre in self.genres:
            if genre not in known:
                allowed = ", ".join(known) or f"none, the version has no {artifact.words.tags}"
                raise ValueError(f"GENRES: got {genre!r}, allowed {artifact.words.tags}: {allowed}")
        rankings: tuple[RankBy, ...] = RANKINGS if artifact.interest is not None else ("rating",)
        rank_by = self.rank_by or rankings[0]
        if rank_by not in rankings:
            raise ValueError(f"--rank-by: got {rank_by}, allowed: rating, since this version has no interest part")
        return Wanted(self.top_k, rank_by, self.genres, self.exclude_seen, self.exact)
