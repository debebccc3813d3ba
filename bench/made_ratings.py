"""`python -m bench.made_ratings FILE NUMBER`: made-up ratings, to measure how training grows with their number.

Users and movies are long-tailed, and there are tastes to learn:

    rating = round(7 + .8 b_user + .8 c_movie + <p_user, q_movie> + 1.3 noise), cut to 1..10

b, c and the noise are standard normal. The tastes p and q have 6 normal entries each, so the true rank is 6 besides the
biases, and their product has a deviation of 1.2. With `--tastes` there are more, of which number k has 1/k of the first
one's variance, as in ratings of people. There is a user for every twenty ratings, and there are 6 sqrt(ratings) movies,
unless options say otherwise. Nobody rates a movie twice.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv

from bench.options import positive

TASTES = 6
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Made:
    """What is made. shares (tastes,): of the variance of a user's and a movie's product, by taste; they add up to 1."""

    rows: int
    num_users: int
    num_movies: int
    shares: np.ndarray

    @classmethod
    def of(cls, rows: int, users: int | None = None, movies: int | None = None, tastes: int | None = None) -> Made:
        """So many ratings, with the defaults for what is None."""
        falling = np.ones(TASTES) if tastes is None else 1 / np.arange(1.0, tastes + 1)
        return cls(rows, users or rows // 20, movies or round(6 * rows**0.5), falling / falling.sum())


def write_ratings(path: Path, made: Made, seed: int = 0) -> None:
    """Writes a csv of user_id, movie_id and rating, in random order, with sparse ids."""
    random = np.random.default_rng(seed)
    user, movie = draw_pairs(random, made.rows, made.num_users, made.num_movies)
    rating = rate(random, user, movie, made)
    user_ids = np.cumsum(random.integers(1, 40, made.num_users))
    movie_ids = np.cumsum(random.integers(1, 40, made.num_movies))
    columns = {"user_id": user_ids[user], "movie_id": movie_ids[movie], "rating": rating}
    pyarrow.csv.write_csv(pa.table(columns), path)


def draw_pairs(
    random: np.random.Generator, rows: int, num_users: int, num_movies: int
) -> tuple[np.ndarray, np.ndarray]:
    """`rows` different (user, movie) pairs in random order. Few users rate much, and few movies have many ratings."""
    weight = 1 / (0.03 + random.random(num_users))  # the most active rate about thirty times as much as the median
    keys = np.zeros(0, dtype=np.int64)
    while len(keys) < rows:
        user = np.repeat(np.arange(num_users), random.multinomial(rows // 2, weight / weight.sum()))
        # Zipf-Mandelbrot popularity, 1 / (rank + 15), by its inverse distribution.
        movie = (15 * ((1 + num_movies / 15) ** random.random(len(user)) - 1)).astype(np.int64)
        keys = np.union1d(keys, user * num_movies + np.minimum(movie, num_movies - 1))
    keys = random.permutation(keys)[:rows]
    return keys // num_movies, keys % num_movies


def rate(random: np.random.Generator, user: np.ndarray, movie: np.ndarray, made: Made) -> np.ndarray:
    """Ratings (R,) int8 in 1..10 of pairs of rows."""
    num_users, num_movies, tastes = made.num_users, made.num_movies, len(made.shares)
    user_bias = random.normal(0, 0.8, num_users).astype(np.float32)
    movie_bias = random.normal(0, 0.8, num_movies).astype(np.float32)
    deviation = (1.2 * made.shares**0.5) ** 0.5  # of an entry, so that the sum of the products deviates by 1.2
    user_tastes = random.normal(0, deviation, (num_users, tastes)).astype(np.float32)
    movie_tastes = random.normal(0, deviation, (num_movies, tastes)).astype(np.float32)
    rating = np.empty(len(user), dtype=np.int8)
    for first in range(0, len(user), _CHUNK):
        part = slice(first, first + _CHUNK)
        score = 7 + user_bias[user[part]] + movie_bias[movie[part]]
        score += (user_tastes[user[part]] * movie_tastes[movie[part]]).sum(1)
        score += random.normal(0, 1.3, len(score))
        rating[part] = np.clip(np.rint(score), 1, 10)
    return rating


def main() -> None:
    """Writes the file."""
    parser = argparse.ArgumentParser(prog="python -m bench.made_ratings", description=str(__doc__).splitlines()[0])
    parser.add_argument("file", type=Path, help="the csv file to write")
    parser.add_argument("number", type=positive, help="the number of ratings")
    parser.add_argument("--users", type=positive, help="the number of users")
    parser.add_argument("--movies", type=positive, help="the number of movies")
    parser.add_argument("--tastes", type=positive, help="the number of tastes, the true rank, which fall in strength")
    options = parser.parse_args()
    write_ratings(options.file, Made.of(options.number, options.users, options.movies, options.tastes))


if __name__ == "__main__":
    main()
