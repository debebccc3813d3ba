"""The keys of the server: TorchServe's tokens. `make serve AUTH=on` switches them on, `AUTH=off` switches them off.

At each start TorchServe makes three keys and writes them to key_file.json in its working directory: one for inference,
one for management, and one, `API`, that only makes new keys. A new key replaces the old one at once. A client that must
survive this reads the file again when its key is refused, as `KeyFileAuth` does.

`python -m ops.auth token [inference|management]` prints a key. `header` prints the line that curl's `-H @-` takes, or
nothing if tokens are off. `rotate` replaces both keys.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from ops.command import failing_in_one_line
from ops.settings import ServerSettings, read_settings
from ops.undo import undone_on_failure

KINDS = ("inference", "management")
# The exception that TorchServe names when it refuses a key. Its status is 400, as for any bad request.
REFUSED = "InvalidKeyException"
WRITTEN_WITHIN_S = 0.5


class AuthError(RuntimeError):
    """There are no keys, or the server did not replace them; the message says why."""


class KeyFileAuth(httpx.Auth):
    """Sends the key for the address of the request. If the server refuses it, reads the file again and retries once."""

    requires_response_body = True

    def __init__(self, settings: ServerSettings) -> None:
        self._settings = settings

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Sends the request with the key; without a key file, it sends the request unchanged."""
        kind = "management" if str(request.url).startswith(self._settings.management + "/") else "inference"
        key = find_key(self._settings, kind)
        if key is not None:
            request.headers["Authorization"] = f"Bearer {key}"
        response = yield request
        if response.status_code == httpx.codes.BAD_REQUEST and REFUSED in response.text:
            fresh = self._wait_for_another(kind, key)
            if fresh is not None:
                request.headers["Authorization"] = f"Bearer {fresh}"
                yield request

    def _wait_for_another(self, kind: str, refused: str | None) -> str | None:
        """Waits for the key that replaced the refused one. The server uses a new key before it writes the file."""
        deadline = time.monotonic() + WRITTEN_WITHIN_S
        while (key := find_key(self._settings, kind)) in (None, refused):
            if time.monotonic() > deadline or not key_file(self._settings).exists():
                return None
            time.sleep(0.01)
        return key


def is_on(settings: ServerSettings) -> bool:
    """Whether this folder's server is started with tokens."""
    return _choice(settings).exists()


def choose(settings: ServerSettings, wanted: str | None) -> None:
    """Remembers `on` or `off` for this start and the next ones; None changes nothing.

    Raises:
        ValueError: `wanted` is another word.
    """
    if wanted not in (None, "on", "off"):
        raise ValueError(f"AUTH: got {wanted!r}, allowed: on, off")
    if wanted == "on":
        _choice(settings).parent.mkdir(exist_ok=True)
        _choice(settings).touch()
    elif wanted == "off":
        _choice(settings).unlink(missing_ok=True)


@contextmanager
def trying(settings: ServerSettings, wanted: str | None) -> Iterator[None]:
    """Chooses as `choose` does, and undoes that if the block fails.

    Raises:
        ValueError: as `choose`.
    """
    before = "on" if is_on(settings) else "off"
    with undone_on_failure() as undo:
        undo.add(f"set AUTH={before} again", lambda: choose(settings, before))
        choose(settings, wanted)
        yield


def prepare(settings: ServerSettings) -> Path:
    """The configuration to start the server with. Removes the key file of an earlier start.

    TorchServe creates the key file with the shell's umask and restricts it later. So we create it first, with 0600.
    """
    # In a read-only folder, as in a container, even removing a missing file fails.
    if key_file(settings).exists():
        key_file(settings).unlink()
    if not is_on(settings):
        return settings.config
    os.close(os.open(key_file(settings), os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    target = settings.folder / ".run" / settings.config.name
    target.parent.mkdir(exist_ok=True)
    text = settings.config.read_text(encoding="utf-8")  # the last line of a setting counts
    target.write_text(f"{text}\n# AUTH=on\ndisable_token_authorization=false\n", encoding="utf-8")
    return target


def key_file(settings: ServerSettings) -> Path:
    """Where TorchServe writes its keys."""
    return settings.folder / "key_file.json"


def find_key(settings: ServerSettings, kind: str) -> str | None:
    """The key of `inference`, `management` or `API`; None if tokens are off, not made yet, or lost."""
    try:
        return str(json.loads(key_file(settings).read_text(encoding="utf-8"))[kind]["key"])
    except (FileNotFoundError, ValueError, LookupError, TypeError):
        return None


def header(settings: ServerSettings, kind: str = "inference") -> str:
    """The header line with the key; empty if tokens are off."""
    key = find_key(settings, kind)
    return f"Authorization: Bearer {key}\n" if key is not None else ""


def rotate(settings: ServerSettings) -> dict[str, str]:
    """Replaces both keys, expired or not, and returns when each new key expires. The old keys end at once.

    Raises:
        AuthError: tokens are off, or the server did not answer or refused.
    """
    headers = {"Authorization": f"Bearer {_key(settings, 'API')}"}
    for kind in KINDS:
        old = _key(settings, kind)
        url = f"{settings.management}/token"
        try:
            response = httpx.get(url, params={"type": kind}, headers=headers, timeout=30, trust_env=False)
        except httpx.HTTPError as error:
            raise AuthError(f"GET {url}: {error}") from error
        if response.is_error or _key(settings, kind) == old:
            raise AuthError(f"GET {url}?type={kind}: {response.status_code} {response.text.strip()}")
    keys = json.loads(key_file(settings).read_text(encoding="utf-8"))
    return {kind: keys[kind]["expiration time"] for kind in KINDS}


def _key(settings: ServerSettings, kind: str) -> str:
    key = find_key(settings, kind)
    if key is None:
        raise AuthError(f"{key_file(settings)}: no keys there: `make serve AUTH=on` starts a server with keys")
    return key


def _choice(settings: ServerSettings) -> Path:
    return settings.folder / ".run" / "auth-on"


def main(arguments: list[str] | None = None) -> None:
    """Runs one of the verbs."""
    parser = argparse.ArgumentParser(prog="python -m ops.auth", description="The keys of this folder's server.")
    parser.add_argument("verb", choices=("token", "header", "rotate"))
    parser.add_argument("kind", nargs="?", choices=KINDS, default="inference")
    options = parser.parse_args(arguments)
    interrupted = "auth: interrupted; `make rotate-keys` again replaces both keys"
    with failing_in_one_line("auth", (AuthError, ValueError, OSError), interrupted):
        settings = read_settings(Path("config.properties"), Path.cwd())
        if options.verb == "token":
            print(_key(settings, options.kind))
        elif options.verb == "header":
            print(header(settings, options.kind), end="")
        elif options.verb == "rotate":
            for kind, expires in rotate(settings).items():
                print(f"new {kind} key, valid until {expires}; the server now refuses the old one")


if __name__ == "__main__":
    main()
