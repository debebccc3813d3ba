"""A client for the server's HTTP interfaces, with the calls that `ops` needs."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import httpx

from model.archive import NAME, VERSION_HEADER, archive_name, version_order
from ops.auth import REFUSED, KeyFileAuth
from ops.settings import ServerSettings


class ClientError(RuntimeError):
    """The server refused with this HTTP status, or did not answer (None). The message contains the server's message."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class KeyRefusedError(ClientError):
    """The front end refused the key. So it is running, but it says nothing about its workers."""


class Answer(NamedTuple):
    """One unchanged answer; `version` is the version that the answer names, or None if it names none."""

    status: int
    version: str | None
    body: bytes


class Client:
    """Asks the inference and the management address of one server."""

    def __init__(self, settings: ServerSettings, timeout_s: float = 30.0) -> None:
        self._settings = settings
        # Loading certificates takes 40 ms of CPU, and plain HTTP does not use them.
        encrypted = any(address.startswith("https:") for address in (settings.inference, settings.management))
        self._http = httpx.Client(
            timeout=timeout_s,
            auth=KeyFileAuth(settings),
            trust_env=False,
            verify=encrypted,
            limits=httpx.Limits(max_keepalive_connections=0),  # nobody must close a connection between calls
        )

    def predict(self, body: dict[str, Any], version: str | None = None) -> Any:
        """The answer to one request of the contract."""
        return self._ask("POST", self._predictions(version), json=body)

    def answer(self, body: bytes, version: str | None = None) -> Answer:
        """The unchanged answer to one body; it may be an error of the handler."""
        headers = {"content-type": "application/json"}
        response = self._send("POST", self._predictions(version), content=body, headers=headers)
        return Answer(response.status_code, response.headers.get(VERSION_HEADER), response.content)

    def describe(self, version: str | None = None) -> dict[str, Any]:
        """The metadata of one version, or of the default, from a worker."""
        described = self._ask("GET", self._models(version), params={"customized": "true"})
        metadata: dict[str, Any] = described[0]["customizedMetadata"]
        return metadata

    def versions(self) -> list[dict[str, Any]]:
        """Every registered version, by name: `version`, `default`, and `workers` in TorchServe's format."""
        response = self._send("GET", self._models(None))
        if response.status_code == httpx.codes.NOT_FOUND:
            return []  # none is registered
        default = _json(response)[0]["modelVersion"]
        found = [
            {"version": one["modelVersion"], "default": one["modelVersion"] == default, "workers": one["workers"]}
            for one in self._ask("GET", self._models("all"))
        ]
        return sorted(found, key=lambda one: version_order(one["version"]))

    def check_registered(self, version: str) -> None:
        """Raises ClientError if the server does not have the version; the message says which it has."""
        names = [one["version"] for one in self.versions()]
        if version not in names:
            raise ClientError(f"version {version} is not registered; registered: {', '.join(names) or 'none'}")

    def workers(self, version: str | None = None) -> list[dict[str, Any]]:
        """The workers of one version, or of the default, in TorchServe's format: `id`, `pid`, `status` and more."""
        workers: list[dict[str, Any]] = self._ask("GET", self._models(version))[0]["workers"]
        return workers

    def has_ready_worker(self, version: str | None = None) -> bool:
        """Whether the front end reports a ready worker. It asks no worker, because an overloaded one may not answer."""
        return any(worker["status"] == "READY" for worker in self.workers(version))

    def is_ready(self, version: str | None = None) -> bool:
        """Whether a worker of the version answers. /ping is not enough: it says Healthy before a worker is ready."""
        try:
            if not self.has_ready_worker(version):
                return False  # a request would block here
            self.describe(version)
        except ClientError:
            return False
        return True

    def requests_by_name(self, version: str) -> int:
        """How many requests named this version in their path since the start; 0 if the server has no metrics."""
        if self._settings.metrics is None:
            return 0
        text = self._send("GET", f"{self._settings.metrics}/metrics").text
        labels = rf'[^}}]*model_version="{re.escape(version)}"[^}}]*'
        found = re.findall(rf"^ts_inference_requests_total{{{labels}}} (\S+)$", text, re.MULTILINE)
        return sum(int(float(count)) for count in found)

    def register(self, version: str, workers: int) -> None:
        """Registers ncf-VERSION.mar from the model store, without waiting for its workers."""
        query = {"url": archive_name(version), "model_name": NAME, "initial_workers": str(workers)}
        self._ask("POST", f"{self._settings.management}/models", params={**query, "synchronous": "false"})

    def promote(self, version: str) -> None:
        """Makes a registered version the default."""
        self._ask("PUT", f"{self._models(version)}/set-default")

    def unregister(self, version: str) -> None:
        """Removes a version at once; see process/workers.py. TorchServe refuses the default while others exist."""
        self._ask("DELETE", self._models(version))

    def _predictions(self, version: str | None) -> str:
        return f"{self._settings.inference}/predictions/{NAME}" + (f"/{version}" if version else "")

    def _models(self, version: str | None) -> str:
        return f"{self._settings.management}/models/{NAME}" + (f"/{version}" if version else "")

    def _ask(self, method: str, url: str, **options: Any) -> Any:
        return _json(self._send(method, url, **options))

    def _send(self, method: str, url: str, **options: Any) -> httpx.Response:
        try:
            return self._http.request(method, url, **options)
        except httpx.ConnectError as error:
            place = httpx.URL(url)
            told = f"nothing answers at {place.scheme}://{place.netloc.decode()}: `make serve` starts a server"
            raise ClientError(told) from error
        except httpx.HTTPError as error:
            raise ClientError(f"{method} {url}: {error}") from error


def _json(response: httpx.Response) -> Any:
    if response.is_error:
        raise _error(response)
    return response.json()


def _error(response: httpx.Response) -> ClientError:
    asked = f"{response.request.method} {response.request.url}: {response.status_code}"
    try:
        message, kind = response.json()["message"], response.json().get("type")
    except (ValueError, KeyError, TypeError, AttributeError):
        message, kind = response.text, None
    if kind == REFUSED:
        verb = "make rotate-keys" if "Authorization" in response.request.headers else "make serve AUTH=on"
        return KeyRefusedError(f"{asked} {message}: `{verb}` makes new keys", response.status_code)
    return ClientError(f"{asked} {message}", response.status_code)
