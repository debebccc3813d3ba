"""The page that a browser gets: one file, `page.html`, whose policy allows its own script and style alone."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

from handler.request import DecodedRequest, Request, Response

_PAGE = Path(__file__).with_name("page.html")
_INLINE = re.compile(rb"<(script|style)>(.*?)</\1>", re.DOTALL)


def asks_for_page(request: Request) -> bool:
    """Whether a browser opens the address: it sends no body, and says that it takes HTML."""
    return request.body in (None, b"") and "text/html" in request.headers.get("accept", "")


def page_answer() -> DecodedRequest:
    """The answered request of a browser."""
    response = page_response(_PAGE.read_bytes())
    return DecodedRequest("page", [], lambda _: response)


def page_response(page: bytes) -> Response:
    """The page with its headers; nothing else may be run, loaded, framed or asked."""
    hashes: dict[bytes, list[str]] = {b"script": [], b"style": []}
    for kind, text in _INLINE.findall(page):
        digest = base64.b64encode(hashlib.sha256(text).digest()).decode()
        hashes[kind].append(f"'sha256-{digest}'")
    policy = [
        "default-src 'none'",
        f"script-src {' '.join(hashes[b'script'])}",
        f"style-src {' '.join(hashes[b'style'])}",
        "connect-src 'self'",
        "img-src data:",
        *("base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"),
    ]
    headers = {
        "content-type": "text/html; charset=utf-8",
        "content-security-policy": "; ".join(policy),
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cache-control": "no-cache",
        "vary": "Accept",
    }
    return Response(page, 200, headers)
