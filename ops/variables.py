"""Checks the values of make's variables before a verb loads anything. `python -m ops.variables NAME ...`.

make hands the variables on in the environment; the names are those that the user gave on make's command line.
"""

from __future__ import annotations

import itertools
import os
import re
import shlex
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import NamedTuple

from model.vocabulary import Vocabulary
from ops.settings import ASGI, TORCHSERVE

PRESETS = ("default", "reference", "mlp")
SPLITS = ("random", "time", "time-per-user", "leave-last-out", "users")
OUTPUTS = ("rating", "unit", "logit", "probability")
ORDERS = ("blend", "interest", "rating")
# Upper and lower case are equal. The Makefile repeats the words for yes.
YES, NO = ("1", "true", "yes", "on"), ("0", "false", "no", "off")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_CLUSTER = re.compile(r"auto|local|.+:\d+")
_WORDS = {"ITEM": "item", "TAGS": "tags"}


def is_yes(value: str | None) -> bool:
    """Whether a switch such as RESUME is on; one that was not given is off."""
    return (value or "").lower() in YES


class _Rule(NamedTuple):
    """Whether a value is allowed, and in words what is."""

    allows: Callable[[str], bool]
    allowed: str


def find_fault(given: Mapping[str, str]) -> str | None:
    """Names the first variable with a wrong value, with what was got and what is allowed. None if all are right."""
    for name, value in given.items():
        rule = _RULES.get(name)
        may_be_empty = name not in ("VERSION", "FROM", "DATA")
        if rule is not None and not rule.allows(value) and not (may_be_empty and not value):
            return f"{name}: got {value!r}, allowed: {rule.allowed}"
    return _fault_of_words(given) or _fault_of_split(given.get("TRAIN_ARGS", ""))


def _one_of(*choices: str) -> _Rule:
    return _Rule(lambda value: value in choices, ", ".join(choices))


def _number(is_allowed: Callable[[float], bool], allowed: str, kind: type[int] | type[float] = int) -> _Rule:
    def allows(value: str) -> bool:
        with suppress(ValueError):
            return is_allowed(kind(value))
        return False

    return _Rule(allows, allowed)


def _is_scale(value: str) -> bool:
    with suppress(ValueError):
        low, high = map(float, value.split())
        return low < high
    return False


_NAME = _Rule(
    lambda value: _VERSION.fullmatch(value) is not None, "a name of letters, digits, and . _ - after the first"
)
_SWITCH = _Rule(lambda value: value.lower() in YES + NO, "1 (yes) or 0 (no)")
_COUNT = _number(lambda number: number >= 1, "a whole number, at least 1")
_RULES = {
    **dict.fromkeys(("VERSION", "FROM", "WITH"), _NAME),
    **dict.fromkeys(("EXCLUDE_SEEN", "EXACT", "RESUME", "FORCE", "FOLLOW"), _SWITCH),
    **dict.fromkeys(("TOP_K", "KEEP", "PROCESSES"), _COUNT),
    "DATA": _Rule(bool, "a file, a folder, or the address of a database or an object store"),
    "CLUSTER": _Rule(
        lambda value: _CLUSTER.fullmatch(value) is not None, "auto, local, or a head such as 10.0.0.1:6379"
    ),
    "PORT": _number(lambda port: 1 <= port <= 65_531, "a whole number from 1 to 65531"),
    "SHARE": _number(lambda share: 0 < share <= 1, "a number, more than 0 and at most 1, such as 0.1", float),
    "SCALE": _Rule(_is_scale, 'two numbers, the lowest first, such as "1 5"'),
    "MODE": _one_of("shadow", "canary"),
    "PRESET": _one_of(*PRESETS),
    "OUTPUT": _one_of(*OUTPUTS),
    "RANK_BY": _one_of(*ORDERS),
    "SERVER": _one_of(TORCHSERVE, ASGI),
    "AUTH": _one_of("on", "off"),
    "LOG_FORMAT": _one_of("text", "json"),
}


def _fault_of_words(given: Mapping[str, str]) -> str | None:
    words = {option: given[name] for name, option in _WORDS.items() if given.get(name)}
    try:
        Vocabulary(**words).refuse_fields()
    except ValueError as error:
        told = str(error)
        for name, option in _WORDS.items():
            told = told.replace(f"--{option}:", f"{name}:")
        return told
    return None


def _fault_of_split(arguments: str) -> str | None:
    try:
        words = shlex.split(arguments.replace("=", " "))
    except ValueError as error:
        return f"TRAIN_ARGS: got {arguments}, which is not closed: {error}"
    for option, value in itertools.pairwise(words):
        if option == "--split" and value not in SPLITS:
            return f"TRAIN_ARGS: got --split {value!r}, allowed: {', '.join(SPLITS)}"
    return None


def main(names: list[str] | None = None) -> None:
    """Ends with one line and status 2 if the value of a variable is not allowed."""
    given = {name: os.environ.get(name, "") for name in (sys.argv[1:] if names is None else names)}
    fault = find_fault(given)
    if fault is not None:
        print(fault, file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
