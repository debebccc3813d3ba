"""The inputs of a network's `forward`: two indices, and optionally the bounds of the rating scale, found by name."""

from __future__ import annotations

import re
import warnings
from typing import Any

import torch
from torch import Tensor, nn

from model.scale import RatingScale
from train.errors import DataError

_LOW = {"minrating", "ratingmin", "minimum", "minscore", "low"}
_HIGH = {"maxrating", "ratingmax", "maximum", "maxscore", "high"}
# Methods that a network may export beside `forward`.
HEAD, VECTORS = "head", "movie_vectors"
TOWERS = ("user_tower", "movie_tower", HEAD)


class _WithScale(nn.Module):
    """Fills in the bounds of the rating scale as third and fourth input, so that two inputs remain."""

    def __init__(self, network: nn.Module, low: Any, high: Any) -> None:
        super().__init__()
        self.network = network
        self.low = low
        self.high = high

    def forward(self, user_index: Tensor, movie_index: Tensor) -> Tensor:
        """(B,) and (B,) int64 -> the network's output."""
        score: Tensor = self.network(user_index, movie_index, self.low, self.high)
        return score


def of_two_indices(network: torch.jit.ScriptModule, name: str, scale: RatingScale) -> torch.jit.ScriptModule:
    """The network as `forward(user_index, movie_index)`.

    Raises:
        DataError: `forward` takes the movie first, or needs other inputs beside the two indices.
    """
    arguments = network.forward.schema.arguments[1:]  # type: ignore[attr-defined]
    told = f"{name}: forward({', '.join(one.name for one in arguments)})"
    if len(arguments) < 2:
        got = "takes one input" if arguments else "takes no input"
        way = "wrap it in a class whose forward takes both"
        raise DataError(f"{told}: {got}, allowed are two, rows of users and rows of movies: {way}")
    first, second = (_folded(one.name) for one in arguments[:2])
    if re.match(r"(movie|item|product|film)", first) and second.startswith("user"):
        raise DataError(f"{told}: takes movies first, allowed is users first: wrap it in a class that swaps the two")
    others = arguments[2:]
    if len(others) == 2 and _folded(others[0].name) in _LOW and _folded(others[1].name) in _HIGH:
        low, high = (_of_type(one, bound) for one, bound in zip(others, (scale.minimum, scale.maximum), strict=True))
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*torch.jit.*")
            return torch.jit.script(_WithScale(network, low, high).eval())
    needed = [one.name for one in others if not one.has_default_value()]
    if needed:
        way = "give these inputs default values, or wrap the network in a class that fills them in"
        raise DataError(f"{told}: also needs {', '.join(needed)}; allowed are a user row and a movie row: {way}")
    return network


def has_towers(network: torch.jit.ScriptModule, name: str) -> bool:
    """Whether the network exports the two towers and the head of model/network.py.

    Layers with these names do not count: many networks call their last layer `head`.

    Raises:
        DataError: it exports a tower but not all three methods.
    """
    found = [one for one in TOWERS if is_method(network, one)]
    if found in ([], [HEAD]):
        return False
    if len(found) < len(TOWERS):
        lacking = ", ".join(one for one in TOWERS if one not in found)
        raise DataError(
            f"{name}: exports {', '.join(found)} but not {lacking}: put @torch.jit.export on all three, or on none"
        )
    return True


def is_method(network: torch.jit.ScriptModule, name: str) -> bool:
    """Whether the network exports a method by this name."""
    found = getattr(network, name, None)
    return callable(found) and not isinstance(found, nn.Module)


def _of_type(argument: Any, value: float) -> Any:
    """A bound in the type of the network's input."""
    kind = str(argument.type)
    if kind == "int":
        return int(value)
    return value if kind == "float" else torch.tensor(value)


def _folded(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).lower()
