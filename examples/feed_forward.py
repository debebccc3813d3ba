"""The feed-forward network of the reference notebook, whose forward takes the bounds of the scale; a state_dict.

python examples/feed_forward.py build/demo/rates.csv own/feed
make adopt MODEL=own/feed/params.data USERS=own/feed/users.csv MOVIES=own/feed/movies.csv SCALE="1 10" \\
        MODULE=examples/feed_forward.py:FeedForwardEmbedNN MODULE_ARGS="$(cat own/feed/sizes.json)" VERSION=own-1
"""

import json
import sys
from pathlib import Path

import pandas as pd
import torch
from torch import nn


class FeedForwardEmbedNN(nn.Module):
    def __init__(self, n_users, n_movies, n_factors=16, hidden=(32, 16), dropout=0.2):
        super().__init__()
        self.user_emb = nn.Embedding(n_users, n_factors)
        self.movie_emb = nn.Embedding(n_movies, n_factors)
        layers, width = [], 2 * n_factors
        for size in hidden:
            layers += [nn.Linear(width, size), nn.ReLU(), nn.Dropout(dropout)]
            width = size
        self.hidden_layers = nn.Sequential(*layers)
        self.fc = nn.Linear(width, 1)

    def forward(self, users, movies, min_rating=1, max_rating=10):
        features = torch.cat([self.user_emb(users), self.movie_emb(movies)], dim=1)
        out = torch.sigmoid(self.fc(self.hidden_layers(features)))
        return out * (max_rating - min_rating) + min_rating


def main(data: str, out: str) -> None:
    torch.manual_seed(0)
    ratings = pd.read_csv(data)
    users, user_ids = pd.factorize(ratings["user"])
    movies, movie_ids = pd.factorize(ratings["movie"])
    columns = [torch.tensor(column) for column in (users, movies, ratings["rate"].to_numpy("float32"))]
    sizes = {"n_users": len(user_ids), "n_movies": len(movie_ids)}
    network = FeedForwardEmbedNN(**sizes)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    for order in torch.randperm(len(ratings)).split(1_024):
        user, movie, rating = (column[order] for column in columns)
        loss = nn.functional.mse_loss(network(user, movie, 1, 10).squeeze(1), rating)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    torch.save(network.state_dict(), folder / "params.data")
    (folder / "sizes.json").write_text(json.dumps(sizes))
    pd.DataFrame({"user_id": user_ids}).to_csv(folder / "users.csv", index=False)
    pd.DataFrame({"movie_id": movie_ids}).to_csv(folder / "movies.csv", index=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
