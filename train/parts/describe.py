"""The figures of prepared ratings, as train/dataset/figures.py tells those of a frame."""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import Tensor

from model.vocabulary import Vocabulary
from train.dataset.figures import spread
from train.parts.events import UserEvents
from train.parts.load import Facts
from train.prepared.folder import Manifest


def describe_parts(
    facts: Facts, manifest: Manifest, events: UserEvents | None, movie_ratings: Tensor, words: Vocabulary
) -> dict[str, Any]:
    """What metrics.json tells of ratings and events; movie_ratings (M,): how many ratings each movie has."""
    data = _describe_ratings(facts, manifest, movie_ratings, words)
    if events is None:
        return {"data": data}
    data["reading"] = {name: lines + events.reading.told()[name] for name, lines in data["reading"].items()}
    return {"data": data, "events": events.figures}


def _describe_ratings(facts: Facts, manifest: Manifest, movie_ratings: Tensor, words: Vocabulary) -> dict[str, Any]:
    rated = movie_ratings[movie_ratings > 0].numpy()
    users = facts.user_ratings[facts.user_ratings > 0].numpy()
    return {
        "file": manifest.source,
        "parts_sha256": facts.digest,
        "newest": None,
        "ratings": facts.ratings,
        "parts": facts.parts,
        "users": len(users),
        words.items: len(rated),
        "density": (facts.ratings - facts.repeated_pairs) / (len(users) * len(rated)),
        "repeated_pairs": facts.repeated_pairs,
        "reading": manifest.reading or {"lines": [], "warnings": []},
        "rating_scale": list(manifest.rating_scale),
        "mean_rating": float(np.average(facts.values.numpy().astype(np.float64), weights=facts.numbers.numpy())),
        "ratings_per_user": spread(users),
        f"ratings_per_{words.item}": spread(rated),
    }
