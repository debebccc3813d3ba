"""The rows of a part's users in the served network's user table."""

from __future__ import annotations

import torch
from torch import Tensor

from model.factor_network import FactorNetwork
from train.factors.systems import rows_at_once
from train.parts.rows import FitRows

# Most that are encoded at a time, with up to 8 factors; a user with more ratings is a chunk alone.
_USERS, _RATINGS = 8_192, 262_144


def encode_part(network: FactorNetwork, rows: FitRows) -> Tensor:
    """Rows (n, W) of the user table of a part's users, each from the user's ratings."""
    num = len(rows.by_user.count)
    ends = torch.cat([rows.by_user.start.long(), torch.tensor([len(rows.rating)])])
    owner, item = rows.owner, rows.by_user.other.long()
    found = torch.empty(num, network.movie_embedding.weight.shape[1])
    most, first = rows_at_once(_RATINGS, network.size), 0
    while first < num:
        fit = int(torch.searchsorted(ends, ends[first] + most, right=True)) - 1
        last = min(first + _USERS, max(fit, first + 1), num)
        own = slice(int(ends[first]), int(ends[last]))
        with torch.inference_mode():
            found[first:last] = network.encode_users(owner[own] - first, item[own], rows.rating[own], last - first)
        first = last
    return found
