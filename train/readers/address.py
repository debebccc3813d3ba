"""The location of ratings: a path, an object store, or a database named by a URL or a file.

An address never contains a password, because `ps`, logs and a model's metadata show addresses.
"""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from train.errors import DataError

SQLITE_SUFFIXES = (".sqlite", ".sqlite3", ".db")
_POSTGRES = ("postgresql", "postgres")
_STORES = ("s3", "gs")
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_SECRETS = {"password", "sslpassword"}
_PASSWORD_WAY = "leave it out, and set it in the environment: PGPASSWORD, AWS_SECRET_ACCESS_KEY"  # noqa: S105  # nosec B105


def is_postgres(place: str | Path) -> bool:
    """Whether it is the URL of a PostgreSQL database. Raises DataError as `_scheme`."""
    return _scheme(place) in _POSTGRES


def is_object_store(place: str | Path) -> bool:
    """Whether it is the URL of a file or folder in an object store. Raises DataError as `_scheme`."""
    return _scheme(place) in _STORES


def _scheme(place: str | Path) -> str:
    """The scheme of a URL in lower case, such as `s3`; empty for a path.

    Raises:
        DataError: the URL contains a password, or its scheme is unknown.
    """
    found = _URL.match(str(place)) if isinstance(place, str) else None
    if found is None:
        return ""
    scheme = found[1].lower()
    if scheme not in (*_POSTGRES, *_STORES):
        allowed = "a file, a folder, postgresql://user@host/database, s3://bucket/folder and gs://bucket/folder"
        raise DataError(f"{found[1]}://: addresses of this kind are not supported; allowed are {allowed}")
    before, _, options = str(place)[found.end() :].partition("?")
    if ":" in before.rpartition("@")[0] or _SECRETS & {name.lower() for name in parse_qs(options, True)}:
        raise DataError(f"{found[1]}://: the address holds a password: {_PASSWORD_WAY}")
    return scheme


def is_sqlite(place: str | Path) -> bool:
    """Whether it is the file name of a SQLite database."""
    return Path(place).suffix.lower() in SQLITE_SUFFIXES


def is_database(place: str | Path) -> bool:
    """Whether the place is a database. Raises DataError as `is_postgres`."""
    return is_postgres(place) or is_sqlite(place)


def shown_name(url: str) -> str:
    """Host and database of a URL, for messages: `db.example.org/films`."""
    parts = urlsplit(url)
    return f"{parts.hostname or 'localhost'}{parts.path.rstrip('/') or '/'}"
