"""What comes in and goes out between TorchServe and the codecs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from model.asks import Answer, Ask

JSON_HEADERS: Mapping[str, str] = {"content-type": "application/json"}
_GRPC_HEADERS: Mapping[str, str] = {**JSON_HEADERS, "ts_stream_next": "false"}


def in_lower_case(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Headers by their names in lower case.

    Where names differ in case alone, the one that is in lower case counts: TorchServe's own are, and a client's
    `Explain` must not turn its `explain` round.
    """
    found: dict[str, str] = {}
    for name, value in headers:
        lower = name.lower()
        if lower == name or lower not in found:
            found[lower] = value
    return found


class Incoming(NamedTuple):
    """One client's request as TorchServe hands it over: fields by name, headers by their names in lower case."""

    row: Mapping[str, Any]
    headers: Mapping[str, str]
    request_id: bytes = b""  # TorchServe's own

    @property
    def over_grpc(self) -> bool:
        """Whether it came without headers, as gRPC has it."""
        return not self.headers


class Request(NamedTuple):
    """A decoded request: its asks, and how to write their answers, given in the same order."""

    kind: str
    asks: Sequence[Ask]
    encode: Callable[[Sequence[Answer]], Reply]


class Reply(NamedTuple):
    """What one client gets."""

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = JSON_HEADERS

    def for_grpc(self) -> Reply:
        """The same as the last of a stream: without that word a StreamPredictions call ends TorchServe's worker."""
        return self._replace(headers=_GRPC_HEADERS)
