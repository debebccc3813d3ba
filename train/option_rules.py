"""What the value of an option must be, and the error that says so."""

from __future__ import annotations

from collections.abc import Callable, Mapping

# What an option must be, in the words of the error.
_RULES: Mapping[str, Callable[[float], bool]] = {
    "at least 1": lambda value: value >= 1,
    "at least 0": lambda value: value >= 0,
    "above 0": lambda value: value > 0,
    "between 0 and 1": lambda value: 0 < value < 1,
    "0 up to, not including, 1": lambda value: 0 <= value < 1,
}


def check_options(options: object, architecture: str, rule: str, *names: str) -> None:
    """Checks the named options of an architecture against one rule.

    Raises:
        ValueError: one breaks it.
    """
    for name in names:
        value = getattr(options, name)
        check_value(f"{architecture}.{name}", value, _RULES[rule](value), rule)


def check_value(name: str, value: object, allowed: bool, rule: str) -> None:
    """Raises the ValueError of an option whose value is not allowed; `rule` says what is."""
    if not allowed:
        raise ValueError(f"{name.replace('_', '-')}: got {value}, allowed: {rule}")
