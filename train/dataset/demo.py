"""The embedded data set: invented movies, and ratings by invented people with tastes.

    score  = 0.5 b_user + 0.6 b_movie + 0.8 <p_user, q_movie> + 0.8 noise
    rating = 1 + the number of thresholds that lie below the score: whole numbers 1..10, most of them 8 to 10

b and the entries of p are standard normal. q is the mean of the movie's genres in taste space plus a small random
vector, so that people who agree on genres agree on movies. Half of the people rate eight movies or fewer; a few rate a
hundred.

The files have the same bytes on every machine. All random numbers come from RandomState's uniform stream. The rest is
additions, multiplications and divisions, element by element: no BLAS, exp or log, because their last digit may differ
between processors. No row comes from a published data set; if a title resembles a real one, this is an accident.

    python -m train.dataset.demo OUT_DIR
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tyro

from train.command import run_command
from train.dataset.demo_names import ADJECTIVES, COUNTRIES, FIRST_NAMES, GENRES, GRADES, LAST_NAMES, NOUNS
from train.dataset.folder import whole_folder

SEED = 20260101
NUM_USERS = 4000
NUM_MOVIES = 300
NUM_PEOPLE = 240
NUM_TASTES = 3
THRESHOLDS = (-2.9, -2.6, -2.3, -2.0, -1.6, -1.15, -0.6, 0.1, 0.9)
NOTICE_FILE = "NOTICE.txt"
NOTICE = "Made by python -m train.dataset.demo, which may replace it: no person, movie or rating in here is real.\n"

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class DemoConfig:
    """Write the embedded data set."""

    out_dir: tyro.conf.Positional[Path]
    """The folder to write, in KMRD's format."""


@dataclass(frozen=True)
class _Movies:
    """ids (NUM_MOVIES,); genres: for each movie 1 to 3 indices of GENRES; tastes (NUM_MOVIES, NUM_TASTES)."""

    ids: Ints
    genres: list[list[int]]
    tastes: Floats


def write_demo(out_dir: Path) -> None:
    """Writes the data set in KMRD's format in one step. It replaces an earlier demo in out_dir.

    Raises DataError if out_dir contains anything else.
    """
    random = np.random.RandomState(SEED)
    movies = _movies(random)
    with whole_folder(out_dir, replaceable=(out_dir / NOTICE_FILE).exists()) as folder:
        _write(folder / "rates.csv", ("user", "movie", "rate", "time"), _ratings(random, movies), ",")
        _write_catalogue(folder, random, movies)
        (folder / NOTICE_FILE).write_text(NOTICE, encoding="utf-8")


def _movies(random: np.random.RandomState) -> _Movies:
    ids = _distinct(random, NUM_MOVIES, 10_000, 99_999)
    genres = [_distinct(random, 1 + row % 3, 0, len(GENRES)).tolist() for row in range(NUM_MOVIES)]
    genre_tastes = _normal(random, (len(GENRES), NUM_TASTES))
    tastes = 0.35 * _normal(random, (NUM_MOVIES, NUM_TASTES))
    for row, chosen in enumerate(genres):
        for genre in chosen:
            tastes[row] += genre_tastes[genre] / len(chosen)
    return _Movies(ids, genres, tastes)


def _ratings(random: np.random.RandomState, movies: _Movies) -> Iterable[tuple[Any, ...]]:
    """(user id, movie id, rating, Unix time in s) for every rating, user by user."""
    user_ids = _distinct(random, NUM_USERS, 0, 1_000_000)
    affinity = _affinity(_normal(random, (NUM_USERS, NUM_TASTES)), movies.tastes)
    score = 0.5 * _normal(random, (NUM_USERS, 1)) + 0.6 * _normal(random, (1, NUM_MOVIES)) + 0.8 * affinity
    score += 0.8 * _normal(random, score.shape)
    rating = 1 + np.searchsorted(THRESHOLDS, np.round(score, 6).ravel()).reshape(score.shape)
    seen = _seen(random, affinity)
    times = random.randint(1_400_000_000, 1_700_000_000, seen.shape, np.int64)
    users, columns = np.nonzero(seen)
    return zip(user_ids[users], movies.ids[columns], rating[seen], times[seen], strict=True)


def _affinity(user_tastes: Floats, movie_tastes: Floats) -> Floats:
    """Inner products (users, movies). The order of the additions is fixed, because that of a BLAS varies."""
    affinity = np.zeros((len(user_tastes), len(movie_tastes)))
    for taste in range(NUM_TASTES):
        affinity += user_tastes[:, taste, None] * movie_tastes[None, :, taste]
    return affinity


def _seen(random: np.random.RandomState, affinity: Floats) -> npt.NDArray[np.bool_]:
    """Whether each user rated each movie, bool (users, movies). Few users rate much; popular, liked movies get more."""
    activity = np.minimum(np.floor(9 / (0.06 + random.random_sample(NUM_USERS)) - 7), 120)
    popularity = 1 / (15.0 + random.permutation(NUM_MOVIES))
    weight = popularity * np.maximum(1 + 0.2 * affinity, 0.3)
    order = np.argsort(np.round(random.random_sample(affinity.shape) / weight, 6), axis=1, kind="stable")
    seen = np.zeros(affinity.shape, dtype=np.bool_)
    np.put_along_axis(seen, order, np.arange(NUM_MOVIES) < activity[:, None], axis=1)
    return seen


def _write_catalogue(folder: Path, random: np.random.RandomState, movies: _Movies) -> None:
    names = _distinct(random, NUM_MOVIES, 0, len(ADJECTIVES) * len(NOUNS))
    titles = [f"The {ADJECTIVES[name // len(NOUNS)]} {NOUNS[name % len(NOUNS)]}" for name in names]
    years = random.randint(1950, 2024, NUM_MOVIES, np.int64)
    grades = random.randint(0, len(GRADES), NUM_MOVIES, np.int64)
    movie_rows = [
        (movie, title.removeprefix("The "), f"{title} , {year}", year, GRADES[grade])
        for movie, title, year, grade in zip(movies.ids, titles, years, grades, strict=True)
    ]
    _write(folder / "movies.txt", ("movie", "title", "title_eng", "year", "grade"), movie_rows, "\t")
    genre_rows = [
        (movie, GENRES[genre]) for movie, chosen in zip(movies.ids, movies.genres, strict=True) for genre in chosen
    ]
    _write(folder / "genres.csv", ("movie", "genre"), genre_rows, ",")
    countries = [COUNTRIES[number] for number in random.randint(0, len(COUNTRIES), NUM_MOVIES, np.int64)]
    _write(folder / "countries.csv", ("movie", "country"), zip(movies.ids, countries, strict=True), ",")
    _write_people(folder, random, movies)


def _write_people(folder: Path, random: np.random.RandomState, movies: _Movies) -> None:
    people = _distinct(random, NUM_PEOPLE, 1, 50_000)
    names = _distinct(random, NUM_PEOPLE, 0, len(FIRST_NAMES) * len(LAST_NAMES))
    full = [f"{FIRST_NAMES[name // len(LAST_NAMES)]} {LAST_NAMES[name % len(LAST_NAMES)]}" for name in names]
    rows = zip(people, full, full, strict=True)
    _write(folder / "peoples.txt", ("people", "korean", "original"), rows, "\t")
    castings = [
        (movie, people[person], place, int(place <= 2))
        for movie in movies.ids
        for place, person in enumerate(_distinct(random, 5, 0, NUM_PEOPLE), start=1)
    ]
    _write(folder / "castings.csv", ("movie", "people", "order", "leading"), castings, ",")


def _normal(random: np.random.RandomState, shape: tuple[int, ...]) -> Floats:
    """Nearly standard normal numbers: the sum of twelve uniform ones minus six. Unlike a logarithm, this is exact."""
    total = np.full(shape, -6.0)
    for _ in range(12):
        total += random.random_sample(shape)
    return total


def _distinct(random: np.random.RandomState, count: int, low: int, high: int) -> Ints:
    """`count` different integers from low to high - 1, in random order."""
    return low + random.permutation(high - low)[:count].astype(np.int64)


def _write(path: Path, header: tuple[str, ...], rows: Iterable[tuple[Any, ...]], delimiter: str) -> None:
    lines = [delimiter.join(map(str, row)) + "\n" for row in (header, *rows)]
    path.write_bytes("".join(lines).encode())


def main(arguments: list[str] | None = None) -> int:
    """Writes the embedded data set; returns the exit status."""
    config = tyro.cli(DemoConfig, prog="python -m train.dataset.demo", args=arguments)
    return run_command("demo", lambda: _written(config.out_dir))


def _written(out_dir: Path) -> str:
    write_demo(out_dir)
    return f"{out_dir}: the embedded data set, {NUM_USERS} users and {NUM_MOVIES} movies"


if __name__ == "__main__":
    sys.exit(main())
