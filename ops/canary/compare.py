"""`python -m ops.canary.compare --version 1.1 --with 1.0`: decide which of two versions to serve, without a server.

Both versions of this folder answer the same requests in this process. They are measured on ratings that neither was
trained on. The program prints the verdict and writes it to build/VERSION/verdict.json.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import orjson

from ops.build.shelf import BUILD, Shelf, check_name
from ops.canary.asked import requests_to_try
from ops.canary.measured import MeasureError
from ops.canary.trial import Answers, Report, try_in_process
from ops.canary.verdict import Verdict, judge, write_verdict
from ops.command import failing_in_one_line
from ops.settings import read_settings

# This many drawn requests take a second or two.
_DRAWN = 500


def compare(version: str, other: str, shelf: Shelf, data: str | None = None, requests: Path | None = None) -> Verdict:
    """The verdict on a version, compared with another.

    Raises:
        MeasureError: both are the same version.
        VersionError: a version is not in this folder.
        ArtifactError: a version cannot be read.
        ValueError: a recorded request is not a JSON object.
    """
    if version == other:
        raise MeasureError(f"VERSION and WITH: got {version} twice; allowed are two versions")
    for name in (version, other):
        shelf.check_artifact(name)
    trial, told = _try(version, other, shelf, requests)
    return judge(version, other, shelf, data, trial, told)


def _try(version: str, other: str, shelf: Shelf, requests: Path | None) -> tuple[Report, str]:
    import torch  # imported here, because it takes a second, which a refused comparison should not wait for

    from handler.service import RatingService
    from handler.settings import HandlerSettings
    from model.archive import NAME
    from model.artifact import load_artifact

    torch.set_num_threads(1)
    settings = HandlerSettings()
    artifacts = {name: load_artifact(shelf.artifact(name)) for name in (version, other)}
    item_ids = artifacts[other].words.item_id, artifacts[version].words.item_id
    services = {name: RatingService(one, settings, NAME, name) for name, one in artifacts.items()}
    bodies, told = requests_to_try(requests, lambda: artifacts[other], item_ids, _DRAWN)
    answers, others = _answers(services[version]), _answers(services[other])
    return try_in_process(version, answers, other, others, bodies, item_ids), told


def _answers(service: Any) -> Answers:
    from handler.request import JSON_HEADERS, Request

    def answer(body: bytes) -> tuple[int, Any]:
        [response] = service.answer([Request(body, JSON_HEADERS)])
        return response.status, orjson.loads(response.body)

    return answer


def main(arguments: list[str] | None = None) -> None:
    """Compares two versions."""
    parser = argparse.ArgumentParser(prog="python -m ops.canary.compare", description=__doc__.splitlines()[0])
    parser.add_argument("--version", help="the version that may replace the other")
    parser.add_argument("--with", dest="other", help="the other version (default: the one that a start serves)")
    parser.add_argument("--data", help="ratings to measure both on (default: those that they were made from)")
    parser.add_argument(
        "--requests", type=Path, help="a file with one body per line, or nginx's log (default: drawn at random)"
    )
    parser.add_argument("--config", type=Path, default=Path("config.properties"))
    options = parser.parse_args(arguments)
    with failing_in_one_line("compare", (ValueError, OSError), "compare: interrupted; no verdict was written"):
        if options.version is None:
            raise MeasureError("VERSION: name one: `make compare VERSION=1.1 WITH=1.0`")
        shelf = Shelf(BUILD, read_settings(options.config, Path.cwd()).model_store)
        other = check_name(options.other or shelf.default())
        verdict = compare(check_name(options.version), other, shelf, options.data, options.requests)
        print(f"{verdict}\nwrote {write_verdict(verdict, shelf)}")


if __name__ == "__main__":
    main()
