"""The interest: how likely a user is to choose a movie at all. It depends on their picks: their ratings and events.

    drawn(u, m)    = sum over u's picks h of x(h) W(h, m)  +  prior popularity(m) / (1 + n(u))
    interest(u, m) = drawn(u, m) + restraint spread(u) rarity(m)

x(h) is the strength of a pick (model/picks.py), and n(u) the number of picks. W is a linear item-to-item model
(EASE^R: Steck 2019, "Embarrassingly shallow autoencoders for sparse data"), fitted by train/interest/linear.py: a table
for the most picked movies, and lists for the others (model/neighbours.py).
`popularity` is the share of users who rated a movie. It matters most for a user with few picks, and decides alone for
a user with none. `rarity` is the self-information of a movie, -log2 of its popularity, standardised over the movies.
`restraint` times rarity lowers the score of popular movies, in units of `spread`: the standard deviation of drawn(u, m)
over the movies. New and known users are computed in the same way, from their picks.

A recommendation's score blends interest and rating:

    score(u, m) = interest(u, m) + rating_weight (rating(u, m) - rating_center)
"""

# No `from __future__ import annotations`: TorchScript cannot read annotations that are strings.
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from model.neighbours import Neighbours, no_neighbours
from model.picks import Picks

# The strength of an event in artifacts of earlier releases, which do not hold it.
DEFAULT_EVENT = 0.5


class Interest(nn.Module):
    """The interest part of a model with M movies; C of them have weights.

    Args:
        column: (M + 1,) int64, each movie's column of `weights`, or C if it has none. The last entry is the unknown
            movie's.
        weights: (C + 1, C + 1) float32, W; the last row and column are zeros.
        popularity: (M + 1,) float32, the share of users who rated each movie, 0..1.
        level, event: what the strength of a rating and of an event depend on; see model/picks.py.
        prior: weight of the popularity.
        restraint: how much the score of popular movies is lowered, in units of the spread.
        rating_weight, rating_center: see the blend above.
        neighbours: the weights of the movies without a column; None if there are none.
    """

    column: Tensor
    weights: Tensor
    popularity: Tensor
    level: Tensor
    event: Tensor
    prior: Tensor
    restraint: Tensor
    rarity: Tensor
    rating_weight: Tensor
    rating_center: Tensor

    def __init__(
        self,
        column: Tensor,
        weights: Tensor,
        popularity: Tensor,
        level: float,
        prior: float,
        restraint: float,
        rating_weight: float,
        rating_center: float,
        neighbours: Neighbours | None = None,
        event: float = DEFAULT_EVENT,
    ) -> None:
        super().__init__()
        self.register_buffer("column", column)
        self.register_buffer("weights", weights)
        where = popularity.device
        self.neighbours = no_neighbours(len(popularity) - 1, where) if neighbours is None else neighbours
        self.register_buffer("popularity", popularity)
        self.register_buffer("level", torch.tensor(level, device=where))
        self.register_buffer("event", torch.tensor(event, device=where))
        self.register_buffer("prior", torch.tensor(prior, device=where))
        self.register_buffer("restraint", torch.tensor(restraint, device=where))
        self.register_buffer("rarity", _rarity(popularity))
        self.register_buffer("rating_weight", torch.tensor(rating_weight, device=where))
        self.register_buffer("rating_center", torch.tensor(rating_center, device=where))

    def forward(self, movie_index: Tensor, strength: Tensor, offsets: Tensor) -> Tensor:
        """Interest (N, M + 1) of N users in every movie.

        User u's picks are the entries `offsets[u]` to `offsets[u + 1]` of movie_index (P,), int64 rows, and of strength
        (P,) float32. A user has each movie at most once. offsets: (N + 1,) int64.
        """
        number = offsets[1:] - offsets[:-1]
        owner = torch.repeat_interleave(number)
        columns = self.column[movie_index]
        table = functional.embedding_bag(
            columns,
            self.weights,
            offsets,
            mode="sum",
            per_sample_weights=strength,
            include_last_offset=True,
        )
        taste = table.index_select(1, self.column)
        self.neighbours.add_to(taste, movie_index, strength, owner)
        number = number.unsqueeze(1)
        drawn = taste + self.prior * self.popularity / (1 + number)
        spread = drawn.std(1, keepdim=True, unbiased=False) * (number > 0)
        return drawn + self.restraint * spread * self.rarity

    @torch.jit.export
    def shares(self, movie_index: Tensor, strength: Tensor, target: int) -> Tensor:
        """What each of one user's picks (P,) adds to their interest in the movie of row `target`, (P,)."""
        weight = self.weights[self.column[movie_index], self.column[target]]
        return strength * (weight + self.neighbours.weights_of(movie_index, target))


def interests_of(interest: Interest, picks: Sequence[Picks]) -> Tensor:
    """Interest (N, M + 1) of N users, by their picks, on the device of the interest part."""
    device = interest.popularity.device
    level, event = float(interest.level), float(interest.event)
    offsets = np.zeros(len(picks) + 1, dtype=np.int64)
    np.cumsum([len(one.movie_index) for one in picks], out=offsets[1:])
    movies = np.concatenate([one.movie_index for one in picks]).astype(np.int64)
    strengths = np.concatenate([one.strengths(level, event) for one in picks])
    with torch.inference_mode():
        found: Tensor = interest(*(torch.from_numpy(array).to(device) for array in (movies, strengths, offsets)))
    return found


def read_interest(stored: nn.Module) -> Interest:
    """A loaded interest part with the methods of this release; it shares the tensors.

    Artifacts of earlier releases may lack the weights of movies without a column, and the strength of an event.
    """
    tensors = dict(stored.named_buffers())
    has_lists = "neighbours.first" in tensors
    lists = [tensors[f"neighbours.{name}"] for name in ("first", "target", "weight")] if has_lists else []
    interest = Interest(
        column=tensors["column"],
        weights=tensors["weights"],
        popularity=tensors["popularity"],
        level=0.0,
        prior=0.0,
        restraint=0.0,
        rating_weight=0.0,
        rating_center=0.0,
        neighbours=Neighbours(*lists) if has_lists else None,
    )
    for name, buffer in interest.named_buffers(recurse=False):
        setattr(interest, name, tensors.get(name, buffer))
    return interest


def _rarity(popularity: Tensor) -> Tensor:
    """The rarity (M + 1,) from the popularity (M + 1,): mean 0, standard deviation 1; 0 for the unknown movie."""
    known = popularity[:-1]
    rarest = torch.where(known > 0, known, 1.0).min() / 2 if len(known) else torch.tensor(1.0)
    bits = -torch.log2(known.clamp_min(float(rarest)))
    deviation = bits.std(unbiased=False) if len(bits) else torch.tensor(0.0)
    standard = (bits - bits.mean()) / deviation if float(deviation) > 0 else torch.zeros_like(bits)
    return torch.cat([standard, torch.zeros(1, device=popularity.device)])
