"""The ten best of a million items for one user and for many at once, on the GPU and on one CPU core.

Three ways, which sort by rating: the ask of the API, user by user; the lists of `make score`, 16 users at a time, by
the sketch; and on the GPU the head for every pair and the choice of the ten, so that only these leave the GPU. No code
serves by the last way: it tells what serving could gain.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from bench.gpu.section import Context, Row, left_out, measured
from bench.growth import make_artifact
from model.artifact import Artifact, load_artifact
from model.asks import BestAsk, Call, ServedModel
from model.predictor import Predictor
from score.lists import ListMaker, Wanted
from train.compile_head import compile_head

_TOP_K = 10
_USERS_AT_ONCE, _ITEMS_AT_ONCE = 16, 65_536
_MOST_S = 20.0  # that one way may take for so many users
_ROUNDS = 5


class Way(NamedTuple):
    """Makes the lists of the first so many users, some of them at once."""

    make: Callable[[int], object]
    users_at_once: int

    def calls(self, number: int) -> int:
        """How often it works for so many users."""
        return -(-number // self.users_at_once)


def ten_best(context: Context, devices: Sequence[str]) -> Iterator[Row]:
    """Milliseconds of each way, for each number of users and each device."""
    users, items, numbers = (1_000, 20_000, (1, 8)) if context.small else (100_000, 1_000_000, (1, 64, 1_024))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "many.pt"
        make_artifact(path, users, items)
        head = compile_head(Path(folder))
        for device in devices:
            artifact = load_artifact(path, device)
            artifact = replace(artifact, compiled_head=head) if device == "cpu" else artifact
            for name, way in _ways(artifact, device).items():
                yield from _by_number(f"ten best of {items:,}, {name}, {device}", way, numbers)


def _by_number(what: str, way: Way, numbers: Sequence[int]) -> Iterator[Row]:
    """A row for each number of users. What would take too long, by the time of fewer users, is left out."""
    last: tuple[int, float] | None = None
    for number in numbers:
        name = f"{what}: {number:,} {'user' if number == 1 else 'users'}"
        expected = 0.0 if last is None else last[1] * way.calls(number) / way.calls(last[0])
        if expected > _MOST_S:
            yield left_out(name, f"would take about {expected:.0f} s")
            continue
        seconds = _seconds(way, number)
        last = number, seconds
        yield measured(name, 1e3 * seconds, "ms")


def _seconds(way: Way, number: int) -> float:
    """The median of some rounds after a warm-up; of a single round if that already takes more than a second."""
    way.make(1)
    rounds: list[float] = []
    while len(rounds) < _ROUNDS and sum(rounds) < 1.0:
        start = time.perf_counter()
        way.make(number)
        rounds.append(time.perf_counter() - start)
    return float(np.median(rounds))


def _ways(artifact: Artifact, device: str) -> dict[str, Way]:
    predictor = Predictor(artifact, device)
    model = predictor.model
    lists = ListMaker(model, Wanted(_TOP_K, "rating", exclude_seen=False))

    def by_asks(number: int) -> None:
        for user_id in artifact.user_ids.ids[:number].tolist():
            predictor.answer([BestAsk(user_id, top_k=_TOP_K)])

    def by_lists(number: int) -> None:
        for first in range(0, number, _USERS_AT_ONCE):
            last = min(first + _USERS_AT_ONCE, number)
            lists.lists([model.user_at(row) for row in range(first, last)], Call(model))

    ways = {"asked one by one": Way(by_asks, 1), "as lists, by the sketch": Way(by_lists, _USERS_AT_ONCE)}
    if device == "cuda":
        ways["every pair, chosen on the GPU"] = Way(lambda number: best_on_device(model, number), _USERS_AT_ONCE)
    return ways


def best_on_device(model: ServedModel, number: int) -> torch.Tensor:
    """Rows (number, 10) of the best items of the first users; only these leave the device."""
    scorer, items = model.scorer, len(model.movie_ids)
    found = []
    with torch.inference_mode():
        for users in torch.arange(number, device=scorer.device).split(_USERS_AT_ONCE):
            own = scorer.user_tower(users).unsqueeze(1)
            scores = [
                scorer.head(own, scorer.movie_tower(rows).unsqueeze(0))
                for rows in torch.arange(items, device=scorer.device).split(_ITEMS_AT_ONCE)
            ]
            found.append(torch.cat(scores, 1).topk(_TOP_K).indices)
    return torch.cat(found).cpu()
