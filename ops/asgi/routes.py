"""Routes map paths to endpoints and versions, for the paths of TorchServe, KServe (v1 and v2) and Triton."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from handler.request import Endpoint
from model.archive import NAME


class Route(NamedTuple):
    """What a path asks for. `version`: None means the default."""

    endpoint: Endpoint
    version: str | None
    methods: frozenset[str]


_ASKING = frozenset({"GET", "POST", "PUT"})
_POSTED = frozenset({"POST"})
_READ = frozenset({"GET", "HEAD"})


def make_routes(versions: Iterable[str]) -> Mapping[str, Route]:
    """Every path that leads to a version of the model."""
    return dict([*_of(None), *(one for version in versions for one in _of(version))])


def _of(version: str | None) -> Iterator[tuple[str, Route]]:
    named = f"/{version}" if version else ""
    yield f"/predictions/{NAME}{named}", Route("predictions", version, _ASKING)
    yield f"/explanations/{NAME}{named}", Route("explanations", version, _ASKING)
    named = f"/versions/{version}" if version else ""
    yield f"/v2/models/{NAME}{named}/infer", Route("predictions", version, _POSTED)
    yield f"/v2/models/{NAME}{named}/ready", Route("readiness", version, _READ)
    yield f"/v2/models/{NAME}{named}", Route("metadata", version, _READ)
    if version is None:
        yield f"/v1/models/{NAME}:predict", Route("predictions", version, _POSTED)
        yield f"/v1/models/{NAME}:explain", Route("explanations", version, _POSTED)
        yield f"/v1/models/{NAME}", Route("readiness", version, _READ)
        yield "/v2/health/ready", Route("readiness", version, _READ)
