"""AdamW (Loshchilov & Hutter 2019) over one cycle of the learning rate and the first momentum (Smith & Topin 2018).

`torch.optim.AdamW` and `OneCycleLR` do the same, but their first step imports PyTorch's compiler, which takes longer
than a small training. The function behind that class does not.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor
from torch.optim.adamw import adamw

_RISING = 0.2  # of the steps, with a learning rate that grows
_FIRST, _LAST = 1 / 25, 1 / 2500  # learning rates at both ends, as shares of the highest
_MOST_MOMENTUM, _LEAST_MOMENTUM = 0.95, 0.85  # at both ends, and where the learning rate is highest
_SECOND_MOMENTUM = 0.98


class OneCycleAdamW:
    """Changes `parameters` in place by their gradients, in `total` steps."""

    def __init__(self, parameters: Iterable[Tensor], highest_rate: float, weight_decay: float, total: int) -> None:
        self._parameters = list(parameters)
        self._means = [torch.zeros_like(one) for one in self._parameters]
        self._squares = [torch.zeros_like(one) for one in self._parameters]
        self._counts = [torch.zeros((), device=one.device) for one in self._parameters]
        self._highest_rate = highest_rate
        self._weight_decay = weight_decay
        self._total = total
        self._done = 0

    def step(self) -> None:
        """One step by the parameters' gradients, which are cleared."""
        rate, momentum = one_cycle(self._done, self._total)
        with torch.no_grad():
            adamw(
                self._parameters,
                [_gradient(one) for one in self._parameters],
                self._means,
                self._squares,
                [],
                self._counts,
                fused=True,
                amsgrad=False,
                beta1=momentum,
                beta2=_SECOND_MOMENTUM,
                lr=self._highest_rate * rate,
                weight_decay=self._weight_decay,
                eps=1e-8,
                maximize=False,
            )
        for one in self._parameters:
            one.grad = None
        self._done += 1


def one_cycle(step: int, total: int) -> tuple[float, float]:
    """The learning rate of a step, as a share of the highest, and the first momentum."""
    top, end = _RISING * total - 1, total - 1
    if step <= top:
        share = step / top if top else 1.0
        return _cosine(_FIRST, 1.0, share), _cosine(_MOST_MOMENTUM, _LEAST_MOMENTUM, share)
    share = (step - top) / (end - top)
    return _cosine(1.0, _LAST, share), _cosine(_LEAST_MOMENTUM, _MOST_MOMENTUM, share)


def _cosine(start: float, end: float, share: float) -> float:
    """From start to end along half a cosine wave."""
    return end + (start - end) / 2 * (1 + math.cos(math.pi * share))


def _gradient(parameter: Tensor) -> Tensor:
    gradient = parameter.grad
    if gradient is None:
        raise RuntimeError("a parameter has no gradient: call backward() on the loss first")
    return gradient
