"""The figures of a data set: counts, density, and how ratings are distributed over users and movies."""

from __future__ import annotations

from typing import Any

import numpy as np

from train.dataset.data import MOVIE_ID, RATING, USER_ID, EventsData, RatingsData


def describe_data(data: RatingsData) -> dict[str, Any]:
    """The data's part of metrics.json. density: the share of all (user, movie) pairs with a rating, 0 to 1."""
    by_user, by_movie = (data.ratings[column].value_counts() for column in (USER_ID, MOVIE_ID))
    rows = len(data.ratings)
    return {
        "file": data.source.name,
        "sha256": data.sha256,
        "newest": data.newest,
        "ratings": rows,
        "users": len(by_user),
        data.reading.words.items: len(by_movie),
        "density": (rows - data.repeated_pairs) / (len(by_user) * len(by_movie)),
        "repeated_pairs": data.repeated_pairs,
        "reading": data.reading.told(),
        "rating_scale": list(data.rating_scale),
        "mean_rating": float(data.ratings[RATING].mean()),
        "ratings_per_user": spread(by_user.to_numpy()),
        f"ratings_per_{data.reading.words.item}": spread(by_movie.to_numpy()),
    }


def describe_events(events: EventsData) -> dict[str, Any]:
    """The events' part of metrics.json."""
    users, movies = (events.frame[column].nunique() for column in (USER_ID, MOVIE_ID))
    told = {"file": events.source.name, "sha256": events.sha256}
    return {**told, "events": len(events.frame), "users": int(users), "movies": int(movies)}


def spread(counts: np.ndarray) -> dict[str, float]:
    """Mean and quantiles of the number of ratings."""
    names = {"min": 0.0, "p10": 0.1, "median": 0.5, "p90": 0.9, "max": 1.0}
    values = np.quantile(counts, list(names.values()))
    return {"mean": float(counts.mean())} | dict(zip(names, values.tolist(), strict=True))
