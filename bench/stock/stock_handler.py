"""A handler in the style of TorchServe's guides: BaseHandler, one request at a time, dictionaries as answers."""

import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from ts.context import Context
from ts.torch_handler.base_handler import BaseHandler


class StockHandler(BaseHandler):
    """Rates pairs with the same TorchScript file, and with its id maps as dictionaries."""

    def initialize(self, context: Context) -> None:
        """Reads the network and the id maps."""
        super().initialize(context)
        folder = Path(context.system_properties["model_dir"])
        maps = json.loads((folder / "id_maps.json").read_text(encoding="utf-8"))
        self.users = {int(raw): row for raw, row in maps["users"].items()}
        self.movies = {int(raw): row for raw, row in maps["movies"].items()}
        self.minimum, self.maximum = maps["scale"]

    def preprocess(self, data: list[dict[str, Any]]) -> Tensor:
        """The rows (2, B) of the users and movies in the bodies."""
        self.asked: list[Any] = [row.get("data") or row.get("body") for row in data]
        users = [self.users.get(ask["user_id"], len(self.users)) for ask in self.asked]
        movies = [self.movies.get(ask["movie_id"], len(self.movies)) for ask in self.asked]
        return torch.tensor([users, movies])

    def inference(self, data: Tensor) -> Tensor:
        """The unit scores (B,) of rows (2, B)."""
        with torch.inference_mode():
            units: Tensor = self.model(data[0], data[1])
            return units

    def postprocess(self, data: Tensor) -> list[dict[str, Any]]:
        """A dictionary for each request, with the rating of its unit score."""
        ratings = (self.minimum + data * (self.maximum - self.minimum)).tolist()
        return [{**ask, "rating": rating} for ask, rating in zip(self.asked, ratings, strict=True)]
