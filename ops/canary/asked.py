"""The requests of a trial, and their origin: recorded in a file of bodies or in nginx's log, or drawn."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from model.vocabulary import ITEM_ID
from ops.canary.log import bodies, read_log
from ops.canary.traffic import draw_requests, read_requests

if TYPE_CHECKING:
    from model.artifact import Artifact

DRAWN = 2_000


def requests_to_try(
    recorded: Path | None, artifact: Callable[[], Artifact], item_ids: tuple[str, str], most: int = DRAWN
) -> tuple[list[bytes], str]:
    """The bodies, and a description of their origin. If they are drawn, there are at most `most`.

    recorded: a file with one body per line, or the log of ops/nginx/canary.conf. item_ids: the two versions' fields for
    an item's id; if they differ, drawn requests use the name that both understand.

    Raises:
        ValueError: there is no such file, or a line is neither.
    """
    if recorded is None:
        own, other = item_ids
        drawn_of = artifact()
        drawn = draw_requests(drawn_of, most, own if own == other else ITEM_ID)
        how = "as often as users rated" if len(drawn_of.history.ratings) else "of each user equally often"
        return drawn, f"{most:,} drawn at random, {how}; none were recorded"
    if not recorded.is_file():
        allowed = "a file with the body of a request in each line, or the log of nginx"
        raise ValueError(f"REQUESTS: {recorded}: no such file; allowed is {allowed}")
    if _is_log(recorded):
        with recorded.open(encoding="utf-8", errors="replace") as lines:
            found = [body.encode() for body in bodies(read_log(lines))]
        if not found:
            raise ValueError(f"{recorded}: contains no request")
        return found, f"{len(found):,} recorded by nginx in {recorded}"
    found = read_requests(recorded)
    return found, f"{len(found):,} recorded in {recorded}"


def _is_log(path: Path) -> bool:
    """Whether the first line is from nginx's log, which contains the body as a field."""
    with path.open(encoding="utf-8", errors="replace") as file:
        line = file.readline()
    return '"body":' in line and '"status":' in line and '"path":' in line
