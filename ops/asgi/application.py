"""The ASGI application: turns HTTP requests into requests of the service, and its responses into HTTP responses.

It has the paths of TorchServe and of nginx's configuration (ops/nginx/ncf.conf) together. `handler/service.py` decides
every answer; this module only handles paths, headers and bodies. https://asgi.readthedocs.io/en/latest/specs/www.html
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping

from handler.errors import RequestError
from handler.request import Request, Response
from handler.request_log import REQUEST_ID, find_request_id
from handler.rows import QUESTIONS
from model.archive import version_order
from ops.asgi.about import LocalAnswers
from ops.asgi.batches import Batches
from ops.asgi.body import ClientLeftError, Message, Receive, content_of, read_body
from ops.asgi.cors import Cors
from ops.asgi.routes import make_routes
from ops.asgi.versions import Versions

Send = Callable[[Message], Awaitable[None]]


class Application:
    """Answers every HTTP request to the versions of one model.

    local: the answers of paths that need no version.
    most_waiting: how many requests of a version may wait; further ones are refused with 503.
    """

    def __init__(self, versions: Versions, local: LocalAnswers, cors: Cors, most_waiting: int) -> None:
        self._cors = cors
        self._routes = make_routes(versions.served)
        self._local = local
        self._targets: dict[str | None, tuple[Batches, int, Mapping[str, str]]] = {
            version: (Batches(one.service, one.batch_size, most_waiting), one.max_body_bytes, one.service.headers)
            for version, one in versions.served.items()
        }
        self._targets[None] = self._targets[versions.default]

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serves one request, or handles the start and the end of the server."""
        if scope["type"] == "lifespan":
            await _live(receive, send)
        elif scope["type"] == "http":
            await self._serve(scope, receive, send)

    async def _serve(self, scope: Message, receive: Receive, send: Send) -> None:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in reversed(scope["headers"])}
        own: Mapping[str, str] = {}
        try:
            response, own = await self._answer(scope, headers, receive)
        except RequestError as error:
            response = error.to_response()
        except ClientLeftError:
            return
        if len(headers.keys() & _ECHOED):
            own = {**own, **self._echoed(headers)}
        await _send(send, response, own, scope["method"] != "HEAD")

    async def _answer(
        self, scope: Message, headers: dict[str, str], receive: Receive
    ) -> tuple[Response, Mapping[str, str]]:
        """The response, and the headers that all answers of its version have."""
        path, method = scope["path"], scope["method"]
        if method == "OPTIONS":
            allowed = self._cors.preflight(headers.get("origin"))
            return Response(b"", 403 if allowed is None else 204, allowed or {}), {}
        if path in self._local:
            return _allowed(method, ("GET", "HEAD"), self._local[path]), {}
        route = self._routes.get(path)
        if route is None:
            raise self._not_found()
        if method not in route.methods:
            raise _not_allowed(route.methods)
        batches, most, own = self._targets[route.version]
        body = content_of(await read_body(receive, most), headers.get("content-type", ""))
        endpoint = route.endpoint
        if endpoint == "predictions" and "describe" in headers:  # from nginx, on behalf of a KServe or Triton client
            endpoint = QUESTIONS.get(headers["describe"], endpoint)
        return await batches.answer(Request(body, headers, endpoint)), own

    def _not_found(self) -> RequestError:
        names = sorted((version for version in self._targets if version is not None), key=version_order)
        told = f"no such path, model or version; versions: {', '.join(names)}; docs/api.md lists the paths"
        return RequestError(told, 404, "NotFound")

    def _echoed(self, headers: Mapping[str, str]) -> dict[str, str]:
        echoed = dict(self._cors.answered(headers.get("origin")))
        if (request_id := find_request_id(Request(None, headers))) is not None:
            echoed[REQUEST_ID] = request_id
        return echoed


_ECHOED = {"origin", REQUEST_ID}


def _allowed(method: str, methods: tuple[str, ...], answer: Callable[[], Response]) -> Response:
    if method not in methods:
        raise _not_allowed(methods)
    return answer()


def _not_allowed(methods: Iterable[str]) -> RequestError:
    return RequestError(f"this path takes {', '.join(sorted(methods))}", 405, "MethodNotAllowed")


async def _live(receive: Receive, send: Send) -> None:
    """Confirms the start and the end of the server. Nothing else is needed: the versions were loaded before."""
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def _send(send: Send, response: Response, own: Mapping[str, str], with_body: bool) -> None:
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in response.headers.items()]
    headers += [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in own.items()]
    headers.append((b"content-length", b"%d" % len(response.body)))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body if with_body else b""})
