"""Cuts a large file of text into pieces of whole lines, so that no more of it is in memory."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, NamedTuple

from train.readers.dialect import SAMPLE_BYTES
from train.readers.encoding import marked_encoding
from train.readers.source import Source

# Text of a piece: a process needs about seven times as much memory to read it, and each piece makes a file.
BLOCK_BYTES = 64 << 20
_FIRST_BYTES = 2 * SAMPLE_BYTES  # at least, in the first piece: it holds the lines that show how the file is written
_CHUNK_BYTES = 1 << 20
_PACKED = 4  # how much larger packed text becomes, about


class Cut(NamedTuple):
    """Where a piece lies in a file: its first byte, the byte after it, and the number of lines before it."""

    begin: int
    end: int
    lines_before: int


@dataclass(frozen=True)
class Piece:
    """A piece of a file `path` of UTF-8.

    name: of the file that it comes from, for messages. recoded: that file's encoding, if it is not UTF-8.
    """

    name: str
    path: Path
    cut: Cut
    recoded: str | None

    def read(self) -> bytes:
        """The text of the piece."""
        with self.path.open("rb") as file:
            file.seek(self.cut.begin)
            return file.read(self.cut.end - self.cut.begin)


@dataclass(frozen=True)
class Cutter:
    """Cuts files. folder: for unpacked ones. block_bytes: of text, in a piece."""

    folder: Path
    block_bytes: int = BLOCK_BYTES

    def cut(self, source: Source, encoding: str | None, quoted: bool) -> list[Piece]:
        """The pieces of a file, at least two; none if it is small, or not text in its encoding.

        encoding: of the option. quoted: whether quotes may enclose line ends.

        Raises:
            DataError: the file cannot be read.
            OSError: there is no room to unpack it.
        """
        if source.packed_bytes() * (_PACKED if source.is_packed else 1) <= self.block_bytes:
            return []
        try:
            path, recoded = self._in_utf8(source, encoding)
        except (UnicodeDecodeError, LookupError):
            return []
        with path.open("rb") as file:
            pieces = [Piece(source.name, path, cut, recoded) for cut in _cuts(file, self.block_bytes, quoted)]
        if len(pieces) > 1:
            return pieces
        if path != source.path:
            path.unlink()
        return []

    def _in_utf8(self, source: Source, encoding: str | None) -> tuple[Path, str | None]:
        """The unpacked file in UTF-8, and its own encoding if this is another one."""
        found = marked_encoding(source.read(4)) or codecs.lookup(encoding or "utf-8").name
        recoded = None if found == "utf-8" else found
        if recoded is None and not (source.is_packed or source.store):
            return source.path, None
        with NamedTemporaryFile(prefix="text-", dir=self.folder, delete=False) as file:
            decoder = codecs.getincrementaldecoder(found)()
            for chunk in source.chunks(_CHUNK_BYTES):
                file.write(chunk if recoded is None else decoder.decode(chunk).encode())
            file.write(decoder.decode(b"", final=True).encode())
        return Path(file.name), recoded


def _cuts(file: IO[bytes], block_bytes: int, quoted: bool) -> Iterator[Cut]:
    """Pieces of whole lines; if `quoted`, none ends within quotes. The first one holds _FIRST_BYTES or more."""
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
