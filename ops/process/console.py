"""The output of the server and its workers since the start: logs/console.log. The previous start's is console.log.1."""

from __future__ import annotations

import re
from pathlib import Path
from typing import IO

from ops.settings import ASGI, ServerSettings

# The front end usually logs the first text; the worker logs the second. TorchServe retries, and still reports Healthy.
_LOAD_FAILED = ("Load model failed", "Failed to load model")
# The last line of a worker's traceback in TorchServe's log, in either format of handler/log4j2.xml.
_RAISED = re.compile(
    r"""(?:MODEL_LOG |"message":")(?:\w+\.)*(\w+(?:Error|Exception|Interrupt|Exit): .+?)(?:","exception":.*)?$""",
    re.MULTILINE,
)

# The error that a process of the ASGI server logs, in either format of ops/asgi/log.py.
_ASGI_FAILED = re.compile(r"""Failed to load model: (.+?)(?:", "exception": .*)?$""", re.MULTILINE)

# Errors that TorchServe itself raises after the archive's error.
_TORCHSERVES_OWN = "RuntimeError: 500 - "
# A line with an error, in either format.
_ERROR = re.compile(r"""^.*(?: (?:ERROR|FATAL|CRITICAL) |"level": ?"(?:ERROR|FATAL|CRITICAL)").*$""", re.MULTILINE)
# What the front end logs as an error where a client left before its answer: here, or in the line after.
_CLIENT_LEFT = re.compile(r"[^\n]*HttpRequestHandler\b[^\n]*\n?[^\n]*(?:Connection reset by peer|Broken pipe)")
# An error line that ends with the name of the logger.
_NO_REASON = re.compile(r" (?:ERROR|FATAL) \S+ *$")
_SEARCHED_BYTES = 262_144
_LONGEST_LINE = 300


def path(settings: ServerSettings) -> Path:
    """The file with the server's output."""
    return settings.folder / "logs" / "console.log"


def fresh(settings: ServerSettings) -> IO[bytes]:
    """A new file for a new start. The former file is kept, because it may say why that server ended."""
    target = path(settings)
    target.parent.mkdir(exist_ok=True)
    if target.exists():
        target.replace(target.with_name("console.log.1"))
    return target.open("wb")


def size(settings: ServerSettings) -> int:
    """The number of bytes printed so far, as a starting point for `load_failure`."""
    return path(settings).stat().st_size if path(settings).exists() else 0


def tail(settings: ServerSettings, lines: int = 20) -> str:
    """The last lines that the server printed."""
    return "\n".join(_text(settings, 0).splitlines()[-lines:])


def last_error(settings: ServerSettings) -> str | None:
    """The newest error line in the last 256 KB of the server's log; None if there is none.

    A client that left before its answer is no error of the server.
    """
    log = path(settings) if settings.server == ASGI else path(settings).with_name("ts.log")
    size = log.stat().st_size if log.exists() else 0
    text = _read(log, max(0, size - _SEARCHED_BYTES))
    for found in reversed(list(_ERROR.finditer(text))):
        if not _CLIENT_LEFT.match(text, found.start()):
            line = found.group()
            if _NO_REASON.search(line):  # the front end logs some exceptions in the lines after
                line = f"{line.rstrip()} {text[found.end() :].lstrip().partition(chr(10))[0]}"
            return line[:_LONGEST_LINE]
    return None


def load_failure(settings: ServerSettings, since: int = 0) -> str | None:
    """Why a worker could not load its archive, in one line; None if no worker failed.

    since: skip this many bytes of the output, a former result of `size`.
    """
    text = _text(settings, since)
    if not any(words in text for words in _LOAD_FAILED):
        return None
    if told := _ASGI_FAILED.findall(text):
        return str(told[-1])
    raised = [error for error in _RAISED.findall(text) if not error.startswith(_TORCHSERVES_OWN)]
    return str(raised[-1]) if raised else f"TorchServe says only {_LOAD_FAILED[0]!r}"


def _text(settings: ServerSettings, since: int) -> str:
    return _read(path(settings), since)


def _read(path: Path, since: int) -> str:
    try:
        with path.open("rb") as file:
            file.seek(since)
            return file.read().decode(errors="replace")
    except FileNotFoundError:
        return ""
