"""What a client did wrong, in TorchServe's own error shape, and how it is worded."""

from __future__ import annotations

import json
from typing import Any

_SHOWN_CHARACTERS = 60


class RequestError(Exception):
    """A request that cannot be answered. `code` is the HTTP status; `kind` names the class of errors."""

    def __init__(self, message: str, code: int = 400, kind: str = "InvalidRequest") -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.kind = kind

    def to_dict(self) -> dict[str, Any]:
        """The error as a client sees it."""
        return {"code": self.code, "type": self.kind, "message": self.message}


def shown(value: object) -> str:
    """A client's value as JSON for a message: ASCII alone (control characters escaped), and not much of it."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "an array"
    text = json.dumps(value if not isinstance(value, str) else value[: _SHOWN_CHARACTERS + 1])
    return text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "..."
