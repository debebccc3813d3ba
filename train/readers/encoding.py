"""Convert a text file to UTF-8: by its byte order mark, by the option, or by a guess, which is reported."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from train.errors import DataError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, because this mark begins with UTF-16's
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_NO_TEXT = (
    (b"\x1f\x8b", "compressed by gzip: rename it to end in .gz"),
    (b"BZh", "compressed by bzip2: rename it to end in .bz2"),
    (b"\xfd7zXZ", "compressed by xz: rename it to end in .xz"),
    (b"PK\x03\x04", "a zip archive or a workbook: let the archive's name end in .zip, or save the workbook as CSV"),
    (b"PAR1", "Parquet: rename it to end in .parquet, or give --format parquet"),
    (b"SQLite format 3\0", "a SQLite database: rename it to end in .sqlite"),
)
_KOREAN, _WESTERN = "cp949", "cp1252"
_SAMPLE = 100_000  # syllables
_COMMON_HANGUL = 0.9  # share of syllables among the 2,350 of EUC-KR: real Korean text is above it, other text below


@dataclass(frozen=True)
class Decoded:
    """Text as UTF-8 without a byte order mark.

    guess: if the encoding is a guess, the first line that is not valid UTF-8; else 0.
    """

    body: bytes
    encoding: str
    guess: int = 0


def decode(name: str, data: bytes, encoding: str | None) -> Decoded:
    """The file's text. Raises DataError, with line and byte, if it is not valid in that encoding or contains a NUL."""
    told = next((what for mark, what in _NO_TEXT if data.startswith(mark)), None)
    if told is not None:
        raise DataError(f"{name}: is not text but {told}")
    decoded = _decode(name, data, encoding)
    nul = decoded.body.find(b"\0")
    if nul >= 0:  # UTF-16 without a byte order mark, or an id that numpy's bytes cannot hold
        line = decoded.body.count(b"\n", 0, nul) + 1
        raise DataError(f"{name}:{line}: byte 0x00 is not text in {decoded.encoding}; {_way(None)}")
    return decoded


def is_utf8(data: bytes) -> bool:
    """Whether these are whole lines of text in UTF-8."""
    if b"\0" in data:
        return False
    try:
        return data.isascii() or bool(data.decode())
    except UnicodeDecodeError:
        return False


def marked_encoding(data: bytes) -> str | None:
    """The encoding that a byte order mark at the begin of the data names."""
    return next((marked for mark, marked in _MARKS if data.startswith(mark)), None)


def _decode(name: str, data: bytes, encoding: str | None) -> Decoded:
    for mark, marked in _MARKS:
        if data.startswith(mark):
            return Decoded(_recoded(name, data[len(mark) :], marked), marked)
    if encoding is not None:
        try:
            codec = codecs.lookup(encoding).name
        except LookupError:
            raise DataError(f"--encoding: got {encoding}; allowed are utf-8, cp949, latin-1 and others") from None
        return Decoded(_recoded(name, data, codec), codec)
    try:
        if not data.isascii():
            data.decode()
    except UnicodeDecodeError as error:
        guess = _guess(data)
        return Decoded(data.decode(guess).encode(), guess, data.count(b"\n", 0, error.start) + 1)
    return Decoded(data, "utf-8")


def _recoded(name: str, data: bytes, encoding: str) -> bytes:
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        told = f"{name}:{line}: byte 0x{data[error.start]:02x} is not text in {encoding}"
        raise DataError(f"{told}; {_way(encoding)}") from None
    return data if encoding == "utf-8" else text.encode()


def _guess(data: bytes) -> str:
    """CP949 if the result looks like Korean, else Windows-1252, else Latin-1, which can decode any bytes."""
    try:
        syllables = "".join(re.findall("[가-힣]+", data.decode(_KOREAN)))[:_SAMPLE]
        common = sum(len(one.encode("euc_kr", "ignore")) > 0 for one in syllables)
        if syllables and common >= _COMMON_HANGUL * len(syllables):
            return _KOREAN
    except UnicodeDecodeError:
        pass
    try:
        data.decode(_WESTERN)
    except UnicodeDecodeError:
        return "latin-1"
    return _WESTERN


def _way(encoding: str | None) -> str:
    other = "another encoding" if encoding is None else f"an encoding other than {encoding}"
    return f"name {other} with --encoding, or save the file as UTF-8"
