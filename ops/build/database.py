"""Converts variables of make into options of a command: words, URLs, queries and tables. It refuses passwords."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from urllib.parse import parse_qs

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_SECRETS = {"password", "sslpassword"}
# Variables of make, and the matching options of the readers.
_OPTIONS = {
    "QUERY": "--query",
    "TABLE": "--table",
    "MOVIES_QUERY": "--movies-query",
    "ITEM": "--item",
    "TAGS": "--tags",
}


def is_url(place: str) -> bool:
    """Whether the place is the URL of a database or an object store, and not a file."""
    return _URL.match(place) is not None


def with_options(asked: Mapping[str, str], data: str, arguments: str) -> dict[str, str]:
    """Moves the variables for words, query and table into `arguments`, as options of the command.

    data: the name of the variable with the ratings. arguments: the name of the variable with the command's options.

    Raises:
        ValueError: an address contains a password.
    """
    _refuse_password(data, asked.get(data, ""))
    given = {option: asked[name] for name, option in _OPTIONS.items() if asked.get(name)}
    others = {name: value for name, value in asked.items() if name not in _OPTIONS}
    if not given:
        return others
    words = shlex.join([word for pair in given.items() for word in pair])
    return {**others, arguments: f"{words} {asked.get(arguments, '')}".strip()}


def _refuse_password(name: str, address: str) -> None:
    """Refuses a password, because `ps`, the screen and made-of.json would show it."""
    found = _URL.match(address)
    if found is None:
        return
    before, _, options = address[found.end() :].partition("?")
    if ":" in before.rpartition("@")[0] or _SECRETS & {key.lower() for key in parse_qs(options, True)}:
        way = "leave it out, and set it in the environment: PGPASSWORD, AWS_SECRET_ACCESS_KEY"
        raise ValueError(f"{name}: the address holds a password: {way}")
