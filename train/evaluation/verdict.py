"""One plain line where a network is no better than the shrunken biases, which anybody can compute."""

from __future__ import annotations

from typing import Any

from model.vocabulary import MOVIES, Vocabulary

_SURE = 1.96  # standard errors: a normal's 95 %
_BIASES = "shrunken_bias"
_GROUPS = {"known": "held-out ratings of known users and {}", "all": "all held-out ratings"}


def doubt(results: dict[str, Any], words: Vocabulary = MOVIES) -> str:
    """The line, or "" where the network's squared error is lower by more than chance, or nothing was measured.

    results: as `evaluate` returns them.
    """
    worse, equal = [], []
    for group in (group for group in _GROUPS if _BIASES in results.get(group, {})):
        compared = results[group][_BIASES]
        difference, error = compared["network_minus_this"], compared["standard_error"]
        told = f"{_GROUPS[group].format(words.items)} ({difference:+.4f} ± {error:.4f} in squared error)"
        if difference - _SURE * error > 0:
            worse.append(told)
        elif difference + _SURE * error >= 0:
            equal.append(told)
    parts = [f"worse than the shrunken biases on {' and '.join(worse)}"] if worse else []
    parts += [f"not better than the shrunken biases on {' and '.join(equal)}"] if equal else []
    return f"This network is {', and '.join(parts)}." if parts else ""
