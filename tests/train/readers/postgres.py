"""A PostgreSQL server for tests, with a password, on a free port of this host."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e.project import free_ports

USER = "ann"
PASSWORD = "s3cret-word"


@dataclass(frozen=True)
class Server:
    """A running server; `folder` contains its data."""

    folder: Path
    port: int

    @property
    def url(self) -> str:
        """The address of its database, without the password."""
        return f"postgresql://{USER}@127.0.0.1:{self.port}/postgres"

    def run(self, *statements: str) -> list[tuple[Any, ...]]:
        """Runs statements as the owner; returns the rows of the last one."""
        from adbc_driver_postgresql.dbapi import connect

        address = self.url.replace(f"{USER}@", f"{USER}:{PASSWORD}@")
        with closing(connect(address, autocommit=True)) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return list(cursor.fetchall()) if cursor.description else []


def find_programs() -> Path | None:
    """The folder of `initdb` and `pg_ctl`; None if PostgreSQL is not installed."""
    found = shutil.which("initdb")
    places = [Path(found).resolve().parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    return next((place for place in reversed(places) if (place / "initdb").is_file()), None)


@contextmanager
def running(programs: Path) -> Iterator[Server]:
    """Starts a new server, and stops it at the end."""
    port = int(free_ports(1)[0])
    folder = Path(tempfile.mkdtemp(prefix="ncf-pg-"))  # short: a socket's path may have 107 characters
    (folder / "password").write_text(PASSWORD)
    owner = _give_away(folder)
    data = str(folder / "data")
    words = ["-D", data, "-U", USER, "-A", "scram-sha-256", f"--pwfile={folder / 'password'}", "--no-sync"]
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
    try:
        _run([str(programs / "initdb"), *words], owner)
        _run([str(programs / "pg_ctl"), "-D", data, "-o", options, "-l", str(folder / "log"), "-w", "start"], owner)
        yield Server(folder, port)
    finally:
        subprocess.run([str(programs / "pg_ctl"), "-D", data, "-m", "immediate", "stop"], user=owner, check=False)
        shutil.rmtree(folder)


def _give_away(folder: Path) -> str | None:
    """PostgreSQL does not run as root. A test as root runs it as the user of its package, or as nobody."""
    if os.getuid() != 0:
        return None
    names = {one.pw_name for one in pwd.getpwall()}
    owner = "postgres" if "postgres" in names else "nobody"
    for path in (folder, *folder.iterdir()):
        shutil.chown(path, owner)
    return owner


def _run(command: list[str], owner: str | None) -> None:
    # The output goes to a file: the server would keep a pipe open, and reading it would never end.
    subprocess.run(command, user=owner, check=True, stdout=subprocess.DEVNULL, cwd="/")
