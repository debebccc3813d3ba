"""NeuMF for implicit feedback (He et al. 2017, "Neural collaborative filtering"), in plain PyTorch; a TorchScript file.

python examples/neumf.py build/demo/rates.csv own/neumf
make adopt MODEL=own/neumf/net.pt USERS=own/neumf/users.json MOVIES=own/neumf/movies.json OUTPUT=logit \\
        VECTORS=item_gmf.weight RATINGS=build/demo/rates.csv VERSION=own-2
"""

import json
import sys
from pathlib import Path

import pandas as pd
import torch
from torch import Tensor, nn


class NeuMF(nn.Module):
    def __init__(self, num_users: int, num_items: int, width: int = 8) -> None:
        super().__init__()
        self.user_gmf, self.user_mlp = nn.Embedding(num_users, width), nn.Embedding(num_users, width)
        self.item_gmf, self.item_mlp = nn.Embedding(num_items, width), nn.Embedding(num_items, width)
        self.mlp = nn.Sequential(nn.Linear(2 * width, width), nn.ReLU())
        self.last = nn.Linear(2 * width, 1)

    def forward(self, user: Tensor, item: Tensor) -> Tensor:
        gmf = self.user_gmf(user) * self.item_gmf(item)
        mlp = self.mlp(torch.cat([self.user_mlp(user), self.item_mlp(item)], 1))
        return self.last(torch.cat([gmf, mlp], 1)).squeeze(1)


def main(data: str, out: str) -> None:
    torch.manual_seed(0)
    clicks = pd.read_csv(data)
    users, user_ids = pd.factorize(clicks["user"])
    items, item_ids = pd.factorize(clicks["movie"])
    user, item = torch.tensor(users), torch.tensor(items)
    network = NeuMF(len(user_ids), len(item_ids))
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    for order in torch.randperm(len(clicks)).split(1_024):
        others = torch.randint(len(item_ids), (4 * len(order),))  # four that were not clicked for each that was
        logit = network(user[order].repeat(5), torch.cat([item[order], others]))
        label = (torch.arange(len(logit)) < len(order)).float()
        loss = nn.functional.binary_cross_entropy_with_logits(logit, label)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    torch.jit.script(network.eval()).save(folder / "net.pt")
    (folder / "users.json").write_text(json.dumps({str(raw): row for row, raw in enumerate(user_ids)}))
    (folder / "movies.json").write_text(json.dumps(item_ids.tolist()))


if __name__ == "__main__":
    main(*sys.argv[1:])
