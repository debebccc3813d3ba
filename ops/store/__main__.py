"""`python -m ops.store --version 1.0`: run after packaging, so that ncf.mar keeps in step with a newly made archive.

A first archive becomes what a server starts with, unless it is an update, which goes `--beside` the others; a newly
made archive of the default takes the old one's place.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from ops.settings import read_settings
from ops.store.archives import start_version, start_with


def main() -> None:
    """Keeps ncf.mar in step with a newly made archive."""
    parser = argparse.ArgumentParser(prog="python -m ops.store", description=main.__doc__)
    parser.add_argument("--version", required=True)
    parser.add_argument("--beside", action="store_true", help="never let a first archive be the default")
    options = parser.parse_args()
    store = read_settings(Path("config.properties"), Path.cwd()).model_store
    default = start_version(store)
    if default == options.version or (default is None and not options.beside):
        start_with(store, options.version)


if __name__ == "__main__":
    main()
