"""A large text file in blocks of whole lines, so that no more of it is in memory, and any process may read a block.

The first block shows how the file is written, and the others are read in the same way. If a block shows that the file
may be written in another way, it raises WholeFileError: then the whole file decides.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, NamedTuple

from train.dataset.reading import Reading
from train.readers.dialect import SAMPLE_BYTES, without_alignment
from train.readers.encoding import is_utf8, marked_encoding
from train.readers.quotes import are_plain, first_columns_of_numbers
from train.readers.rules import ReadingRules
from train.readers.source import Source
from train.readers.table import Table, WholeFileError
from train.readers.text import Layout, TextFile
from train.readers.text_rows import TextRows, Written, by_one_byte

# Text of a block: a process needs about seven times as much memory to read it, and each block makes a file.
BLOCK_BYTES = 64 << 20
_FIRST_BYTES = 2 * SAMPLE_BYTES  # at least, in the first block: it holds the lines that show how the file is written
_CHUNK_BYTES = 1 << 20
_PACKED = 16  # how much larger packed text may become


class Cut(NamedTuple):
    """Where a block lies in a file: its first byte, the byte after it, and the number of lines before it."""

    begin: int
    end: int
    lines_before: int


@dataclass(frozen=True)
class Piece:
    """A block of a file `path` of UTF-8. name: of the file that it comes from, for messages."""

    name: str
    path: Path
    cut: Cut

    def read(self) -> bytes:
        """The text of the block."""
        with self.path.open("rb") as file:
            file.seek(self.cut.begin)
            return file.read(self.cut.end - self.cut.begin)


@dataclass(frozen=True)
class TextBlock:
    """A block after the first one. aligned, numbers: see TextFile and are_plain."""

    piece: Piece
    written: Written
    aligned: bool
    numbers: frozenset[int]

    def read(self, chosen: Sequence[str]) -> Table:
        """Reads these columns. Raises DataError, which names the line, and WholeFileError."""
        return replace(self._rows().read(chosen, "", self.locate), part=True)

    def locate(self, row: int) -> str:
        """The file and line of a row of the block (0-based)."""
        return self._rows().locate(row)

    def _rows(self) -> TextRows:
        body, written = self.piece.read(), self.written
        if not is_utf8(body):
            raise WholeFileError(f"{written.name}: may not be UTF-8")
        body = without_alignment(body) if self.aligned else body
        body, delimiter = by_one_byte(written.name, body, written.delimiter)
        rows = TextRows(written, body, delimiter, header=False, lines_before=self.piece.cut.lines_before)
        _refuse_doubtful_quotes(rows, self.numbers)
        return rows


class TextBlocks(NamedTuple):
    """A text file: its first block, and the others."""

    first: TextFile
    later: list[TextBlock]


@dataclass(frozen=True)
class Cutter:
    """Cuts large text files. folder: for unpacked files. block_bytes: of text, in a block."""

    folder: Path
    block_bytes: int = BLOCK_BYTES

    def open(self, source: Source, rules: ReadingRules) -> TextBlocks | None:
        """Opens a text file; None if it is small, or only the whole file shows how it is written.

        Raises:
            DataError: the file cannot be read.
            OSError: there is no room to unpack it.
        """
        largest = source.packed_bytes() * (1 if source.is_plain else _PACKED)
        if rules.quotes == "backslash" or largest <= self.block_bytes:
            return None
        try:
            path, recoded = self._in_utf8(source, rules)
        except (UnicodeDecodeError, LookupError):
            return None
        with path.open("rb") as file:
            cuts = list(_cuts(file, self.block_bytes, quoted=rules.quotes != "off"))
        if len(cuts) < 2:
            return None
        told, pieces = Reading(), [Piece(source.name, path, cut) for cut in cuts]
        first = TextFile(pieces[0], rules, Layout(fewest=3, recoded=recoded), told)
        rows = first.rows
        numbers = first_columns_of_numbers(rows.body, rows.delimiter, len(first.names))
        try:
            _refuse_doubtful_quotes(rows, numbers)
        except WholeFileError:
            return None
        if told.warnings or not rows.any:
            return None
        return TextBlocks(first, [TextBlock(one, rows.written, first.aligned, numbers) for one in pieces[1:]])

    def _in_utf8(self, source: Source, rules: ReadingRules) -> tuple[Path, str | None]:
        """The unpacked file in UTF-8, and its own encoding if this is another one."""
        encoding = marked_encoding(source.read(4)) or codecs.lookup(rules.encoding or "utf-8").name
        recoded = None if encoding == "utf-8" else encoding
        if source.is_plain and recoded is None:
            return source.path, None
        with NamedTemporaryFile(prefix="text-", dir=self.folder, delete=False) as file:
            decoder = codecs.getincrementaldecoder(encoding)()
            for chunk in source.chunks(_CHUNK_BYTES):
                file.write(chunk if recoded is None else decoder.decode(chunk).encode())
            file.write(decoder.decode(b"", final=True).encode())
        return Path(file.name), recoded


def _refuse_doubtful_quotes(rows: TextRows, numbers: frozenset[int]) -> None:
    """Raises WholeFileError if quotes may be written in another way than the first block shows."""
    written = rows.written
    if written.quoting != "off" and not are_plain(rows.body, rows.delimiter, len(written.names), numbers):
        raise WholeFileError(f"{written.name}: quotes or backslashes whose meaning depends on other lines")


def _cuts(file: IO[bytes], block_bytes: int, quoted: bool) -> Iterator[Cut]:
    """Blocks of whole lines; if `quoted`, none ends within quotes. The first one holds _FIRST_BYTES or more."""
    begin = lines = 0
    data, wanted = b"", max(block_bytes, _FIRST_BYTES)
    while True:
        data += file.read(max(wanted - len(data), 0))
        if len(data) < wanted:  # the file ends here
            if data:
                yield Cut(begin, begin + len(data), lines)
            return
        length = _last_end(data, quoted)
        if length <= (0 if begin else SAMPLE_BYTES):
            wanted *= 2
            continue
        yield Cut(begin, begin + length, lines)
        lines += data.count(b"\n", 0, length) + data.count(b"\r", 0, length) - data.count(b"\r\n", 0, length)
        begin, data, wanted = begin + length, data[length:], block_bytes


def _last_end(data: bytes, quoted: bool) -> int:
    """The end of the last line that does not end within quotes; 0 if there is none."""
    inside = quoted and data.count(b'"') % 2 == 1
    end = len(data)
    while end > 0:
        quote = data.rfind(b'"', 0, end) if quoted else -1
        if not inside:
            line = data.rfind(b"\n", quote + 1, end)
            if line >= 0:
                return line + 1
        end, inside = quote, not inside
    return 0
