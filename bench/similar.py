"""`python -m bench.similar ARTIFACT`: whether similar movies share genres, compared with popular and random movies.

For each movie with genres and ratings, it takes the share of its ten neighbours with at least one of its genres, and
the same share of the ten most rated movies and of ten random movies. Genres are among the features of the default
network, so this is not a test on unseen facts.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from bench.markdown import table
from model.artifact import load_artifact
from model.asks import SimilarAnswer, SimilarAsk
from model.predictor import Predictor

NEIGHBOURS = 10
SEED = 1


def genre_table(genres: list[list[str] | None]) -> np.ndarray:
    """(M, G) bool: whether each movie has each genre."""
    names = sorted({genre for own in genres for genre in own or ()})
    return np.array([[name in (own or ()) for name in names] for own in genres])


def shares(predictor: Predictor) -> dict[str, float]:
    """The mean share of movies with a common genre, by how they were chosen."""
    genres = genre_table(list(predictor.catalogue.columns["genres"]))
    counts = np.bincount(predictor.model.history.movie_index, minlength=len(genres))
    popular = np.argsort(-counts, kind="stable")
    dice = np.random.default_rng(SEED)
    found: dict[str, list[float]] = {"similar": [], "most rated": [], "random": []}
    for row in np.flatnonzero(genres.any(axis=1) & (counts > 0)).tolist():
        [answer] = predictor.answer([SimilarAsk(predictor.movie_ids.raw(np.array([row]))[0], NEIGHBOURS)])
        assert isinstance(answer, SimilarAnswer)
        chosen = {
            "similar": answer.movie_index,
            "most rated": popular[popular != row][:NEIGHBOURS],
            "random": dice.choice(np.delete(np.arange(len(genres)), row), NEIGHBOURS, replace=False),
        }
        for name, rows in chosen.items():
            if len(rows):
                found[name].append(float((genres[rows] & genres[row]).any(axis=1).mean()))
    return {name: float(np.mean(values)) for name, values in found.items()}


def main() -> None:
    """Prints one line for each artifact."""
    parser = argparse.ArgumentParser(prog="python -m bench.similar", description=__doc__.splitlines()[0])
    parser.add_argument("artifact", nargs="+", type=Path)
    lines = []
    for path in parser.parse_args().artifact:
        found = shares(Predictor(load_artifact(path)))
        lines.append([str(path), *(f"{value:.3f}" for value in found.values())])
    print(table(["artifact", "similar", "most rated", "random"], 1, lines))


if __name__ == "__main__":
    main()
