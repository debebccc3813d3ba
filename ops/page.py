"""Opens the served model's page in a browser: `make open`."""

from __future__ import annotations

import sys
import webbrowser
from pathlib import Path

from model.archive import NAME
from ops import auth
from ops.client import Client, ClientError
from ops.command import failing_in_one_line
from ops.settings import ServerSettings, read_settings


def page_address(settings: ServerSettings) -> str:
    """The address of the page."""
    return f"{settings.inference}/predictions/{NAME}"


def main() -> None:
    """Opens the page, and prints its address."""
    settings = read_settings(Path("config.properties"), Path.cwd())
    if auth.is_on(settings):
        sys.exit("open: with AUTH=on a browser cannot get the page from TorchServe; use nginx, as docs/page.md says")
    with failing_in_one_line("open", (ClientError,), "open: interrupted"):
        Client(settings).versions()  # a browser would say only that the address cannot be reached
    address = page_address(settings)
    opened = webbrowser.open(address)
    print(address if opened else f"no browser here; open this address in one: {address}")


if __name__ == "__main__":
    main()
