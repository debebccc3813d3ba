"""Java's .properties syntax. TorchServe reads config.properties with `java.util.Properties.load`.

A key ends at the first `=`, `:` or blank without a backslash before it. Blanks around the separator are ignored. `#`
and `!` begin a comment line, and a backslash at the end of a line continues it on the next line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_ESCAPES = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}
_BLANK = " \t\f"
_KEY = re.compile(r"((?:\\.|[^\\=: \t\f])*)[ \t\f]*[=:]?[ \t\f]*", re.DOTALL)
_ESCAPED = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)


def parse_properties(text: str) -> dict[str, str]:
    """The settings by name. If a name occurs twice, the last value counts."""
    found = {}
    for line in _logical_lines(text):
        key = _KEY.match(line)
        assert key is not None  # the pattern also matches the empty string
        found[_unescape(key[1])] = _unescape(line[key.end() :])
    return found


def _logical_lines(text: str) -> Iterator[str]:
    """The lines without comments and empty lines; continued lines are joined."""
    joined: str | None = None
    for natural in re.split(r"\r\n|\r|\n", text):
        line = natural.lstrip(_BLANK)
        if joined is None and (not line or line[0] in "#!"):
            continue
        line = (joined or "") + line
        if _is_continued(line):
            joined = line[:-1]
        else:
            yield line
            joined = None
    if joined:
        yield joined


def _is_continued(line: str) -> bool:
    """Whether the line ends with an odd number of backslashes."""
    return (len(line) - len(line.rstrip("\\"))) % 2 == 1


def _unescape(text: str) -> str:
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)) if found[1] else _ESCAPES.get(found[2], found[2]), text)
