"""The ordinal network: probabilities of the rating levels, from two towers and a factor block's product.

    tower_side = W2 gelu(W1 [vector; shares of the levels; log(1 + n) * .3; 1 / (n + 1)] + b1) + b2
    logit = skip * f + W relu(tower_user + tower_movie + slope * f + mix (u * v)) + b      f = b_u + c_m + u . v
    unit = sum_l softmax(logit)_l unit_l

n = number of ratings of the user or movie. Its shares of the levels are shrunk towards the data's shares. The product
models the interaction (Rendle et al. 2020). The network turns it into a distribution over levels, which need not be
equally spaced.

Shapes: B batch, K = 1 + factors, L levels, H hidden units.
"""

# No `from __future__ import annotations`: TorchScript cannot read annotations that are strings.
import torch
from torch import Tensor, nn

# How many ratings the data's shares count for, in a user's and in a movie's shares of the levels.
_USER_SHRINKAGE, _MOVIE_SHRINKAGE = 1.0, 10.0
_MARGIN = 0.5  # how far f may be outside the range of the levels' scores, in standard deviations


class OrdinalHead(nn.Module):
    """Levels and network.

    Args:
        edges: (L - 1,) upper edges of all levels except the last, in rating units, ascending.
        unit: (L,) the levels' mean unit scores.
        share: (L,) their frequencies in the data.
        score: (L,) their normal scores, ascending: the target of the factor block below.
        num_factors: K - 1.
        hidden_dim: H.
        dropout: share of hidden units dropped in training.
    """

    edges: Tensor
    unit: Tensor
    share: Tensor
    score: Tensor

    def __init__(
        self,
        edges: Tensor,
        unit: Tensor,
        share: Tensor,
        score: Tensor,
        num_factors: int,
        hidden_dim: int,
        dropout: float,
    ) -> None:
        super().__init__()
        self.num_levels = len(unit)
        self.user_shrinkage, self.movie_shrinkage = _USER_SHRINKAGE, _MOVIE_SHRINKAGE
        for name, value in (("edges", edges), ("unit", unit), ("share", share), ("score", score)):
            self.register_buffer(name, value.clone())
        self.lowest, self.highest = float(score[0]) - _MARGIN, float(score[-1]) + _MARGIN
        inputs = 1 + num_factors + self.num_levels + 2
        self.user = _tower(inputs, hidden_dim, dropout)
        self.movie = _tower(inputs, hidden_dim, dropout)
        self.mix = nn.Linear(num_factors, hidden_dim, bias=False)
        self.slope = nn.Parameter(torch.randn(hidden_dim) * 0.3)
        self.skip = nn.Parameter(score.clone())
        self.dropout = nn.Dropout(dropout)
        self.out = nn.Linear(hidden_dim, self.num_levels)
        nn.init.zeros_(self.out.weight)  # training starts from the data's frequencies, shifted by f
        with torch.no_grad():
            self.out.bias.copy_(share.log())

    def level(self, rating: Tensor) -> Tensor:
        """Levels (R,) int64 of ratings (R,) in rating units."""
        return torch.searchsorted(self.edges, rating)

    def histogram(self, index: Tensor, level: Tensor, num: int) -> Tensor:
        """Counts each level (R,) for each of `num` rows: (num, L) float32; index (R,) is the row of each level."""
        counts = torch.zeros(num * self.num_levels, device=index.device)
        counts.index_add_(0, index * self.num_levels + level, torch.ones_like(index, dtype=torch.float32))
        return counts.view(num, self.num_levels)

    def user_tower(self, vector: Tensor, histogram: Tensor) -> Tensor:
        """Users' vectors (B, K) and level counts (B, L) -> (B, H)."""
        hidden: Tensor = self.user(self.describe_user(vector, histogram))
        return hidden

    def movie_tower(self, vector: Tensor, histogram: Tensor) -> Tensor:
        """Movies' vectors (B, K) and level counts (B, L) -> (B, H)."""
        hidden: Tensor = self.movie(self.describe_movie(vector, histogram))
        return hidden

    def describe_user(self, vector: Tensor, histogram: Tensor) -> Tensor:
        """The input of the user tower, (B, K + L + 2); the vector comes first."""
        return self._describe(vector, histogram, self.user_shrinkage)

    def describe_movie(self, vector: Tensor, histogram: Tensor) -> Tensor:
        """The input of the movie tower, (B, K + L + 2); the vector comes first."""
        return self._describe(vector, histogram, self.movie_shrinkage)

    def logits(self, hidden: Tensor, product: Tensor, f: Tensor) -> Tensor:
        """hidden (..., H), the towers' sum; product (..., K - 1), u * v; f (...,), the block's score -> (..., L)."""
        at = f.clamp(self.lowest, self.highest).unsqueeze(-1)
        bent = self.dropout(torch.relu(hidden + self.mix(product) + at * self.slope))
        # In memory the levels are the first dimension. On a CPU, this makes the product and the next steps faster.
        tilt = self.out.bias.unsqueeze(-1) + self.skip.unsqueeze(-1) * at.transpose(-1, -2)
        logit: Tensor = (tilt + self.out.weight @ bent.transpose(-1, -2)).transpose(-1, -2)
        return logit

    def forward(self, hidden: Tensor, product: Tensor, f: Tensor) -> Tensor:
        """As `logits`, but returns the expected unit score (...,)."""
        return expectation(self.logits(hidden, product, f), self.unit)[0]

    def _describe(self, vector: Tensor, histogram: Tensor, strength: float) -> Tensor:
        count = histogram.sum(1, keepdim=True)
        shares = (histogram + strength * self.share) / (count + strength)
        return torch.cat([vector, shares, torch.log1p(count) * 0.3, 1 / (count + 1)], 1)


def expectation(logit: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
    """Expected value (...,) under softmax(logit), (..., L), and the log normaliser (...,).

    It does not call torch.softmax, which is six times slower over a short last dimension on a CPU.
    """
    top = logit.amax(-1)
    weight = torch.exp(logit - top.unsqueeze(-1))
    total = weight.sum(-1)
    return (weight @ value) / total, top + torch.log(total)


def _tower(inputs: int, hidden_dim: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(inputs, hidden_dim), nn.GELU(), nn.Dropout(dropout), nn.Linear(hidden_dim, hidden_dim)
    )
