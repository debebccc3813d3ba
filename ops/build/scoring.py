"""The verb `score`: the best movies of every user of a version, as Parquet files."""

from __future__ import annotations

from collections.abc import Mapping

from ops.build import commands, verbs
from ops.build.shelf import Shelf, VersionError
from ops.variables import NO, YES, is_yes

_OPTIONS = {"OUT": "out", "TOP_K": "top-k", "USERS": "users", "RATINGS": "ratings", "RANK_BY": "rank-by"}
_SWITCHES = {"EXCLUDE_SEEN": "exclude-seen", "EXACT": "exact"}


def score(asked: Mapping[str, str], shelf: Shelf) -> str:
    """Writes the lists into the folder `OUT`, and returns the version's name. It trains only if there is no version.

    `CLUSTER` is where the lists are made, not what a version is trained on.

    Raises:
        VersionError: `OUT` is missing, or a value is not allowed.
        CommandError: the scoring failed and printed the reason.
    """
    if not asked.get("OUT"):
        raise VersionError("OUT: give a folder for the lists: `make score OUT=best.parquet`")
    options = {option: asked[name] for name, option in _OPTIONS.items() if asked.get(name)}
    words = [_switch(name, option, asked[name]) for name, option in _SWITCHES.items() if asked.get(name)]
    genres = [one.strip() for one in asked.get("GENRES", "").split(",") if one.strip()]
    cluster = asked.get("CLUSTER", "")
    asked = {name: value for name, value in asked.items() if name != "CLUSTER"}
    verbs.refuse_unknown(asked, shelf)
    version = verbs.train(asked, shelf, "score")
    commands.score(shelf.artifact(version), cluster, options, words, genres, asked.get("SCORE_ARGS", ""))
    return version


def _switch(name: str, option: str, value: str) -> str:
    """`--option` or `--no-option`."""
    if value.lower() not in YES + NO:
        raise VersionError(f'{name}: got "{value}", allowed: 1 (yes) or 0 (no)')
    return f"--{option}" if is_yes(value) else f"--no-{option}"
