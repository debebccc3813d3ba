"""A matrix factorisation from numpy arrays, as Surprise, implicit and LensKit give them; two towers, so it is fast.

python examples/factors.py build/demo/rates.csv own/factors
make adopt MODEL=own/factors/net.pt USERS=own/factors/users.npy MOVIES=own/factors/movies.npy \\
        RATINGS=build/demo/rates.csv VERSION=own-3
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from scipy import sparse
from scipy.sparse.linalg import svds
from torch import Tensor, nn


class Factors(nn.Module):
    def __init__(self, mean, user_factors, item_factors, user_bias, item_bias):
        super().__init__()
        user_table = np.column_stack([user_factors, user_bias + mean, np.ones(len(user_bias))])
        item_table = np.column_stack([item_factors, np.ones(len(item_bias)), item_bias])
        self.register_buffer("users", torch.tensor(user_table, dtype=torch.float32))
        self.register_buffer("items", torch.tensor(item_table, dtype=torch.float32))

    @torch.jit.export
    def user_tower(self, user: Tensor) -> Tensor:
        return self.users[user]

    @torch.jit.export
    def movie_tower(self, item: Tensor) -> Tensor:
        return self.items[item]

    @torch.jit.export
    def head(self, user: Tensor, item: Tensor) -> Tensor:
        return (user * item).sum(-1)  # mean + user bias + item bias + user factors . item factors

    def forward(self, user: Tensor, item: Tensor) -> Tensor:
        return self.head(self.user_tower(user), self.movie_tower(item))


def main(data: str, out: str) -> None:
    frame = pd.read_csv(data)
    (users, user_ids), (items, item_ids) = pd.factorize(frame["user"]), pd.factorize(frame["movie"])
    mean = frame["rate"].mean()
    user_bias = np.bincount(users, frame["rate"] - mean) / (np.bincount(users) + 5)
    item_bias = np.bincount(items, frame["rate"] - mean - user_bias[users]) / (np.bincount(items) + 5)
    rest = frame["rate"] - mean - user_bias[users] - item_bias[items]
    left, size, right = svds(sparse.coo_matrix((rest, (users, items))).tocsr(), k=8, random_state=0)
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    torch.jit.script(Factors(mean, left * size, right.T, user_bias, item_bias)).save(folder / "net.pt")
    np.save(folder / "users.npy", user_ids.to_numpy())
    np.save(folder / "movies.npy", item_ids.to_numpy())


if __name__ == "__main__":
    main(*sys.argv[1:])
