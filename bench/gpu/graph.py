"""A training step of `mlp` as a CUDA graph: its kernels are recorded once, and then started together.

A step of a small network is over sooner than a processor can start its kernels one by one. Trainings do not use this:
it is here to measure what they would gain.
"""

from __future__ import annotations

import torch

from model.network import EmbeddingMLP
from model.scale import RatingScale
from train.dataset.tensors import Ratings
from train.mlp.config import MLPConfig

_WARM_UP_STEPS = 3  # on a stream of their own, as torch.cuda.graph wants it


class GraphedStep:
    """One step on batches of the same size, on a GPU. It trains `network` in place, with the mean squared error."""

    def __init__(self, network: EmbeddingMLP, batch: Ratings, scale: RatingScale, config: MLPConfig) -> None:
        self._network, self._scale = network.train(), scale
        self._batch = Ratings(batch.user_index.clone(), batch.movie_index.clone(), batch.rating.clone())
        self._optimizer = torch.optim.Adam(
            network.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay, fused=True, capturable=True
        )
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(_WARM_UP_STEPS):
                self._optimizer.zero_grad(set_to_none=True)
                self._step()
        torch.cuda.current_stream().wait_stream(stream)
        self._optimizer.zero_grad(set_to_none=True)
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph):
            self._step()

    def run(self, batch: Ratings) -> None:
        """One step on another batch of the same size."""
        self._batch.user_index.copy_(batch.user_index)
        self._batch.movie_index.copy_(batch.movie_index)
        self._batch.rating.copy_(batch.rating)
        self._graph.replay()

    def _step(self) -> None:
        predicted = self._scale.to_rating(self._network(self._batch.user_index, self._batch.movie_index))
        (predicted - self._batch.rating).square().mean().backward()
        self._optimizer.step()
