"""Requests from pages of other origins (CORS), with the same `cors_` settings as TorchServe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Cors:
    """Which pages may send requests from a browser. If `origin` is empty, only the server's own page may."""

    origin: str = ""
    methods: str = ""
    headers: str = ""

    @classmethod
    def from_properties(cls, properties: Mapping[str, str]) -> Cors:
        """Reads `cors_allowed_origin`, `cors_allowed_methods` and `cors_allowed_headers`."""
        names = ("cors_allowed_origin", "cors_allowed_methods", "cors_allowed_headers")
        return cls(*(properties.get(name, "") for name in names))

    def answered(self, origin: str | None) -> Mapping[str, str]:
        """The headers that allow a page of this origin to read an answer."""
        if not self.origin or origin is None or self.origin not in ("*", origin):
            return {}
        return {"access-control-allow-origin": self.origin, "vary": "Origin"}

    def preflight(self, origin: str | None) -> Mapping[str, str] | None:
        """The headers that tell a browser what it may send; None if the page may not send requests."""
        if not self.answered(origin):
            return None
        return {
            "access-control-allow-methods": self.methods or "GET, POST",
            "access-control-allow-headers": self.headers or "Content-Type",
            "access-control-max-age": "3600",
        }
