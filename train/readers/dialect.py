"""The dialect of a text file: its delimiter, and whether it has a header line.

Every delimiter is tried on the first lines. A delimiter that splits more than half of them into as many fields as the
first line comes before all others. Then the one whose first line has the most known column names wins. A tie goes to
the one that splits most lines alike, and then to the one with the most fields. Excel writes the delimiter into a first
line of its own: `sep=;`.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence

from train.readers.names import known_names

DELIMITERS = (",", "\t", ";", "|", "::", " ")
SAMPLE_BYTES = 1 << 18
_SAMPLE_LINES = 200
_SEP_LINE = re.compile(rb'\A"?sep=(\\t|[^\r\n"])"?(?=[\r\n])', re.IGNORECASE)
_RUN, _ENDS = re.compile(rb" {2,}"), re.compile(rb"^ | (?=\r?$)", re.MULTILINE)
DELIMITER_NAMES = {",": "comma", "\t": "tab", ";": "semicolon", "|": "|", "::": "::", " ": "blank"}


def sample_lines(body: bytes) -> list[str]:
    """The first lines that are not blank, without line ends."""
    text = body[:SAMPLE_BYTES].decode(errors="ignore")
    lines = [line for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")[:_SAMPLE_LINES] if line]
    return lines[:-1] if len(body) > SAMPLE_BYTES and len(lines) > 1 else lines


def without_sep_line(body: bytes) -> tuple[bytes, str | None]:
    """The text with Excel's line `sep=;` made blank, so that lines keep their numbers, and the delimiter it names."""
    found = _SEP_LINE.match(body)
    if found is None:
        return body, None
    named = found[1].decode(errors="ignore")
    return body[found.end() :], "\t" if named == r"\t" else named


def is_aligned(lines: Sequence[str], fewest: int) -> bool:
    """Whether runs of blanks align the columns of these lines. Then each line has as many words as the others."""
    words = {len(line.split()) for line in lines}
    has_delimiter = any(mark in line for line in lines for mark in DELIMITERS[:-1])
    if has_delimiter or len(words) > 1 or not 2 <= fewest <= min(words):
        return False
    return any("  " in line or line.startswith(" ") for line in lines)


def without_alignment(body: bytes) -> bytes:
    """The text with one blank in place of each run, and none at the ends of lines."""
    return _ENDS.sub(b"", _RUN.sub(b" ", body))


def find_delimiter(lines: Sequence[str], fewest: int, asked: Sequence[str | None] = ()) -> str:
    """The delimiter of these lines; a comma if no delimiter gives at least `fewest` fields.

    asked: column names from the options; they count as known names too.
    """
    best, best_score = ",", (False, 0, 0.0, 0)
    for delimiter in DELIMITERS:
        counts = [len(fields(line, delimiter)) for line in lines]
        if not counts or counts[0] < fewest:
            continue
        alike = sum(count == counts[0] for count in counts) / len(counts)
        first = fields(lines[0], delimiter)
        known = known_names(first) + sum(name.strip() in asked for name in first)
        score = (alike > 0.5, known, round(alike, 1), counts[0])
        if score > best_score:
            best, best_score = delimiter, score
    return best


def fields(line: str, delimiter: str) -> list[str]:
    """The fields of one line, quoted or not."""
    if len(delimiter) > 1:
        return line.split(delimiter)
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:  # a field of more than 128 KiB: this is not a table with that delimiter
        return [line]


def delimiter_name(delimiter: str) -> str:
    """The delimiter in words."""
    return DELIMITER_NAMES.get(delimiter, repr(delimiter))
