"""Java's .properties syntax, as TorchServe reads config.properties with `java.util.Properties.load`.

A key ends at the first `=`, `:` or blank that no backslash stands before. Blanks around the separator do not count.
`#` and `!` begin a comment line, and a backslash at the end of a line continues it on the next.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_ESCAPES = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}
_BLANK = " \t\f"
_KEY = re.compile(r"((?:\\.|[^\\=: \t\f])*)[ \t\f]*[=:]?[ \t\f]*", re.DOTALL)
_ESCAPED = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)


def parse_properties(text: str) -> dict[str, str]:
    """The settings by name. The last one counts where a name stands twice."""
    found = {}
    for line in _logical_lines(text):
        key = _KEY.match(line)
        assert key is not None  # it matches the empty string too
        found[_unescape(key[1])] = _unescape(line[key.end() :])
    return found


def _logical_lines(text: str) -> Iterator[str]:
    """Lines without comments and empty ones, continued lines joined."""
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
    """Whether an odd number of backslashes ends the line."""
    return (len(line) - len(line.rstrip("\\"))) % 2 == 1


def _unescape(text: str) -> str:
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)) if found[1] else _ESCAPES.get(found[2], found[2]), text)
