"""The rating levels of a data set, and their normal scores.

Ratings are ordered categories more than numbers: on many sites most of them are the highest one. A level's normal
score is the mean of a standard normal inside the level's quantile bin (Blom 1958):

    score_l = (phi(q_l) - phi(q_l+1)) / share_l,   q = standard normal quantiles of the cumulated shares

scaled to a variance of 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

_QUANTILE_SAMPLE = 1_000_000  # torch.quantile sorts, and refuses very long inputs


@dataclass(frozen=True)
class Levels:
    """L levels, ascending. All but `edges` (L,) float32.

    edges (L - 1,): the upper edges in rating units, so that a level is the number of edges below a rating;
    value: mean rating; share: frequency; score: normal score.
    """

    edges: Tensor
    value: Tensor
    share: Tensor
    score: Tensor

    def __len__(self) -> int:
        return len(self.value)

    def of(self, rating: Tensor) -> Tensor:
        """Levels (R,) int64 of ratings (R,)."""
        return torch.searchsorted(self.edges, rating)


def mean_and_deviation(values: Tensor, numbers: Tensor) -> tuple[float, float]:
    """Mean and standard deviation of distinct ratings (D,) that occur so often (D,); the latter never 0."""
    values, numbers = values.double(), numbers.double()
    mean = float((values * numbers).sum() / numbers.sum())
    variance = float(((values - mean).square() * numbers).sum() / max(float(numbers.sum()) - 1, 1))
    return mean, max(variance**0.5, 1e-6)


def levels_of_counts(distinct: Tensor, number: Tensor, max_levels: int) -> Levels:
    """Levels of distinct ratings (D,), ascending, which occur so often (D,) int64.

    They are the ratings themselves, or quantile bins where there are more than `max_levels`.
    """
    few = len(distinct) <= max_levels
    edges = (distinct[1:] + distinct[:-1]) / 2 if few else _quantile_edges(distinct, number, max_levels)
    level = torch.searchsorted(edges, distinct)
    none = torch.zeros(len(edges) + 1, dtype=torch.float64)
    count = none.index_add(0, level, number.double()).clamp_min(1)
    total = none.index_add(0, level, distinct.double() * number)
    share = count / count.sum()
    return Levels(edges, (total / count).float(), share.float(), _normal_scores(share).float())


def _quantile_edges(distinct: Tensor, number: Tensor, num_levels: int) -> Tensor:
    ends = number.cumsum(0)
    places = torch.linspace(0, int(ends[-1]) - 1, min(int(ends[-1]), _QUANTILE_SAMPLE), dtype=torch.float64).long()
    sample = distinct[torch.searchsorted(ends, places, right=True)]
    edges: Tensor = torch.unique(torch.quantile(sample, torch.linspace(0, 1, num_levels + 1)[1:-1]))
    return edges[edges < distinct[-1]]  # else the last level would be empty


def _normal_scores(share: Tensor) -> Tensor:
    """Scores (L,) float64 of shares (L,) float64 that add up to 1."""
    below = torch.cat([share.new_zeros(1), share.cumsum(0)[:-1], share.new_ones(1)])
    density = torch.exp(-(torch.special.ndtri(below) ** 2) / 2) / math.sqrt(2 * math.pi)
    score = (density[:-1] - density[1:]) / share
    return score / (share * score**2).sum().sqrt().clamp_min(1e-9)
