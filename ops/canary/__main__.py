"""`python -m ops.canary --version 1.1 --share 0.1`: tries a registered version with a share of the requests.

In mode `shadow`, the default answers every request, and the canary answers a share of them too. The canary's answers
are compared and thrown away. In mode `canary`, the canary answers its share instead of the default. The program prints
the report and writes it to build/VERSION/canary.json. Then it writes the verdict on the version to verdict.json beside
it. It is a client that sends requests, and not a proxy.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from model.files import atomic_write
from ops.build.shelf import BUILD, CANARY, Shelf
from ops.canary.asked import requests_to_try
from ops.canary.trial import Report, item_ids_of, try_version
from ops.canary.verdict import judge, write_verdict
from ops.client import Client, ClientError
from ops.command import failing_in_one_line
from ops.settings import read_settings
from ops.store.archives import archive_path

if TYPE_CHECKING:
    from model.artifact import Artifact


def main(arguments: list[str] | None = None) -> None:
    """Tries a version."""
    parser = argparse.ArgumentParser(prog="python -m ops.canary", description=__doc__.splitlines()[0])
    parser.add_argument("--version", help="the version to try")
    parser.add_argument("--share", type=float, default=0.1, help="share of the requests, above 0 and at most 1")
    parser.add_argument("--mode", choices=("shadow", "canary"), default="shadow")
    parser.add_argument(
        "--requests", type=Path, help="a file with one body per line, or nginx's log (default: drawn at random)"
    )
    parser.add_argument("--data", help="ratings to measure both versions on (default: those that they were made from)")
    parser.add_argument("--config", type=Path, default=Path("config.properties"))
    options = parser.parse_args(arguments)
    with failing_in_one_line(
        "canary", (ClientError, ValueError, OSError), "canary: interrupted; no verdict was written"
    ):
        if options.version is None:
            raise ValueError("VERSION: name one: `make canary VERSION=1.1`")
        if not 0 < options.share <= 1:
            raise ValueError(f"share: got {options.share:g}, allowed: more than 0, at most 1")
        settings = read_settings(options.config, Path.cwd())
        shelf = Shelf(BUILD, settings.model_store)
        archive = archive_path(settings.model_store, options.version)
        client = Client(settings)
        client.check_registered(options.version)
        item_ids = item_ids_of(client, options.version)
        bodies, told = requests_to_try(options.requests, lambda: _artifact(archive, options.version), item_ids)
        report = try_version(client, options.version, bodies, item_ids, options.share, options.mode)
        print(f"wrote {_write_report(report, shelf)}", flush=True)
        verdict = judge(options.version, report.default.version, shelf, options.data, report, told)
        print(f"{verdict}\nwrote {write_verdict(verdict, shelf)}")


def _write_report(report: Report, shelf: Shelf) -> Path:
    target = shelf.folder(report.canary.version) / CANARY
    target.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(target) as partial:
        partial.write_text(json.dumps(asdict(report), indent=1) + "\n", encoding="utf-8")
    return target


def _artifact(archive: Path, version: str) -> Artifact:
    from ops.versions.reference import Reference  # it loads torch, which recorded requests do not need

    return Reference(archive, version).artifact


if __name__ == "__main__":
    main()
