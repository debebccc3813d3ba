"""The methods of a network that serving calls, and each of them as a program of `torch.export`.

Such a program has one function, so a network becomes as many programs as it has methods. The head becomes two: one for
pairs, and one for tiles of users and movies, because a program fixes the number of dimensions.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.fx.experimental import _config

Inputs = tuple[Any, ...]
Program = torch.export.ExportedProgram
_FEW = 7  # the size of the inputs that an export looks at
_ANY = torch.export.Dim.DYNAMIC
_ONE, _TWO, _THREE = ({0: _ANY},), ({0: _ANY},) * 2, ({0: _ANY},) * 3
_TILES = ({0: _ANY}, {1: _ANY})


class Method(NamedTuple):
    """A method that serving calls.

    path: of the method, from the network.
    inputs: makes inputs of a size.
    sizes: which sizes of the inputs may be any number.
    of_users: whether they contain the number of users.
    """

    path: str
    inputs: Callable[[Any, int], Inputs]
    sizes: Inputs
    of_users: bool = False


def _users(network: Any, number: int) -> Inputs:
    return (torch.arange(number) * 7_919 % (network.num_users + 1),)


def _movies(network: Any, number: int) -> Inputs:
    return (torch.arange(number) * 7 % (network.num_movies + 1),)


def _pairs(network: Any, number: int) -> Inputs:
    """The towers' outputs of so many users and movies; any numbers will do."""
    width = network.movie_tower(torch.zeros(1, dtype=torch.int64)).shape[1]
    numbers = torch.arange(number * width).view(number, width).sin()
    return numbers, numbers.cos()


def _tile(network: Any, number: int) -> Inputs:
    users, movies = _pairs(network, 2 * number)
    return users[:number].unsqueeze(1), movies.unsqueeze(0)


def _ratings(network: Any, number: int) -> Inputs:
    """Three ratings of each of so many users."""
    rows = torch.arange(3 * number)
    return rows % max(number, 1), *_movies(network, 3 * number), 1.0 + rows % 10, number


def _picks(network: Any, number: int) -> Inputs:
    """Three picks of each of so many users."""
    return *_movies(network, 3 * number), torch.ones(3 * number), 3 * torch.arange(number + 1)


def _shares(network: Any, number: int) -> Inputs:
    return *_movies(network, number), torch.ones(number), 1


METHODS = {
    "user_tower": Method("user_tower", _users, _ONE),
    "movie_tower": Method("movie_tower", _movies, _ONE),
    "movie_vectors": Method("movie_vectors", _movies, _ONE),
    "head": Method("head", _pairs, _TWO),
    "head_of_tiles": Method("head", _tile, _TILES),
    "sketch": Method("sketch", _tile, _TILES),
    "level_probabilities": Method("level_probabilities", _pairs, _TWO),
    "encode_users": Method("encode_users", _ratings, (*_THREE, _ANY), of_users=True),
    "interest": Method("interest.forward", _picks, _THREE, of_users=True),
    "shares": Method("interest.shares", _shares, (*_TWO, _ANY)),
}


class _Alone(nn.Module):
    """One method as a module's `forward`."""

    def __init__(self, network: nn.Module, path: str) -> None:
        super().__init__()
        self.network, self.path = network, path

    def forward(self, *inputs: Any) -> Any:
        return attrgetter(self.path)(self.network)(*inputs)


def method_of(network: nn.Module, method: Method) -> Callable[..., Tensor]:
    """The method of a network, scripted or not."""
    found: Callable[..., Tensor] = attrgetter(method.path.removesuffix(".forward"))(network)
    return found


def export_method(network: Any, method: Method) -> Program:
    """The program of one method.

    A program with a number of users refuses one user, unless a private option is set for its export. With this option,
    the head of tiles refuses one user.
    """
    with torch.no_grad(), _config.patch(backed_size_oblivious=method.of_users):  # type: ignore[attr-defined]
        alone = _Alone(network, method.path).eval()
        return torch.export.export(alone, method.inputs(network, _FEW), dynamic_shapes={"inputs": method.sizes})


def put(network: nn.Module, name: str, tensor: Tensor) -> None:
    """Replaces a tensor of a network or of a loaded program, by its name in the state_dict."""
    path, _, attribute = name.rpartition(".")
    module = attrgetter(path)(network)
    setattr(module, attribute, nn.Parameter(tensor, False) if attribute in module._parameters else tensor)
