"""The user table of a network that is trained here: `user_embedding`, with the unknown user's row last."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from model.network import RatingNetwork


def put_users(network: RatingNetwork, table: Tensor) -> None:
    """Gives the network this user table (N + 1, W), the unknown user last."""
    network.user_embedding = nn.Embedding.from_pretrained(table, freeze=True)
    network.num_users = len(table) - 1


def moved_rows(table: Tensor, rows: Tensor, number: int) -> Tensor:
    """(number + 1, ...): puts the table's rows at `rows`, and copies of its last row everywhere else."""
    moved = table[-1:].expand(number + 1, *table.shape[1:]).clone()
    moved[rows] = table[:-1]
    return torch.as_tensor(moved)
