"""Which ratings the ordinal network learns from: those with the smallest hashes, in the order of their hashes.

A hash depends on the seed and on user, movie and rating alone. So neither the order of the file nor the number of
processes changes what the network learns from.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from train.config import TrainConfig
from train.dataset.hashes import Hashes, below, id_hashes, row_hashes
from train.dataset.tensors import TrainingSet

_SALT = 0x5A17  # they are drawn apart from the held-out ratings


class Drawn(NamedTuple):
    """D drawn ratings, in the order of their hashes. place: (D,) int64, where each one stands. hashes: (D,)."""

    place: npt.NDArray[np.int64]
    hashes: Hashes


def drawn_rows(data: TrainingSet, config: TrainConfig) -> Drawn:
    """About `--factors.network-rows` of the ratings, or all of them if there are fewer."""
    user, movie = (id_hashes(ids.ids) for ids in (data.user_ids, data.movie_ids))
    rated = data.ratings
    pairs = user[rated.user_index.numpy()], movie[rated.movie_index.numpy()]
    return draw(*pairs, rated.rating.numpy(), len(rated), config)


def draw(user: Hashes, movie: Hashes, rating: npt.NDArray[np.float32], of: int, config: TrainConfig) -> Drawn:
    """The drawn ones among these ratings (R,), where there are `of` ratings in all. user, movie: (R,) of each rating.

    Copies of a rating are drawn together.
    """
    hashes = row_hashes(config.seed + _SALT, user, movie, rating, np.zeros(len(rating), dtype=np.int64))
    place = np.flatnonzero(below(hashes, config.factors.network_rows / max(of, 1)))
    place = place[np.argsort(hashes[place], kind="stable")]
    return Drawn(place, hashes[place])
