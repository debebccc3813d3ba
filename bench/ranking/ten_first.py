"""`python -m bench.ranking.ten_first`: the ten first movies for some users, by rating and by blend, side by side.

The users are those with about 5, 20 and 80 ratings, unless `--users` names others.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from bench.markdown import table
from model.artifact import Artifact, load_artifact
from model.asks import BestAnswer, BestAsk
from model.predictor import Predictor
from model.ranking import RankBy

_NUMBERS_OF_RATINGS = (5, 20, 80)
_SHOWN, _HISTORY = 10, 5


class Lists:
    """The lists of an artifact's users as text."""

    def __init__(self, artifact: Artifact) -> None:
        self._artifact = artifact
        self._predictor = Predictor(artifact)
        movies = artifact.history.without_repeats().movie_index
        self._raters = np.bincount(movies, minlength=len(artifact.movie_ids))

    def of_user(self, row: int) -> str:
        """The movies that the user liked best, and a table of the first movies by rating and by blend."""
        [raw] = self._artifact.user_ids.raw(np.array([row]))
        movies, ratings = self._artifact.history.of_user(row)
        best = movies[np.argsort(-ratings, kind="stable")[:_HISTORY]]
        liked = "; ".join(self._title(movie) for movie in best.tolist())
        columns = [self._first(raw, by) for by in ("rating", "blend")]
        header = ("", "by rating", "rating", "raters", "by blend", "rating", "raters")
        rows = [(str(place), *left, *right) for place, left, right in zip(range(1, 1 + _SHOWN), *columns, strict=False)]
        lines = [f"User {raw}, {len(movies)} ratings; liked best: {liked}.", "", table(header, 2, rows)]
        return "\n".join(lines)

    def _first(self, raw_user: int | str, by: RankBy) -> list[tuple[str, str, str]]:
        """Title, predicted rating and number of raters of the first movies."""
        [answer] = self._predictor.answer([BestAsk(raw_user, top_k=_SHOWN, exclude_seen=True, rank_by=by)])
        assert isinstance(answer, BestAnswer)
        rows = answer.movie_index.tolist()
        return [
            (self._title(row), f"{rating:.1f}", f"{self._raters[row]:,}")
            for row, rating in zip(rows, answer.ratings.tolist(), strict=True)
        ]

    def _title(self, row: int) -> str:
        """The English title if the data has one, else the title, else the id."""
        for name in ("title_english", "title"):
            title = self._artifact.catalogue.columns.get(name, [None] * (row + 1))[row]
            if title:
                return str(title).replace("|", "/")
        return str(self._artifact.movie_ids.raw(np.array([row]))[0])


def users_by_number(artifact: Artifact) -> list[int]:
    """Rows of the first users with about as many ratings as each of _NUMBERS_OF_RATINGS."""
    number = np.diff(artifact.history.offsets)
    return [int(np.abs(number - wanted).argmin()) for wanted in _NUMBERS_OF_RATINGS]


def main() -> None:
    """Prints the lists as Markdown."""
    parser = argparse.ArgumentParser(prog="python -m bench.ranking.ten_first", description=str(__doc__).splitlines()[0])
    parser.add_argument("--artifact", type=Path, default=Path("build/1.0/ncf.pt"), help="the model that recommends")
    parser.add_argument("--users", nargs="+", help="raw ids of users")
    options = parser.parse_args()
    artifact = load_artifact(options.artifact)
    users = users_by_number(artifact)
    if options.users:
        integer = artifact.user_ids.integer
        users = artifact.user_ids.rows([int(one) if integer else one for one in options.users]).tolist()
        if unknown := [raw for raw, row in zip(options.users, users, strict=True) if row == artifact.user_ids.unknown]:
            parser.error(f"--users: the model does not know {', '.join(unknown)}")
    lists = Lists(artifact)
    print("\n\n".join(lists.of_user(row) for row in users))


if __name__ == "__main__":
    main()
