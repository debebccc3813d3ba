"""The server's HTTP interfaces, as far as running it needs them."""

from __future__ import annotations

from typing import Any

import httpx

from ops.auth import KeyFileAuth
from ops.settings import ServerSettings
from ops.store import NAME

REGISTER_TIMEOUT_S = 180.0


class ClientError(RuntimeError):
    """The server refused, or did not answer; the message holds its words."""


class Client:
    """Asks the inference and the management address of one server."""

    def __init__(self, settings: ServerSettings, timeout_s: float = 30.0) -> None:
        self._settings = settings
        self._timeout_s = timeout_s
        self._auth = KeyFileAuth(settings)

    def predict(self, body: dict[str, Any], version: str | None = None) -> Any:
        """The answer to one request of the contract."""
        path = f"/predictions/{NAME}" + (f"/{version}" if version else "")
        return self._ask("POST", self._settings.inference + path, json=body)

    def describe(self, version: str | None = None) -> dict[str, Any]:
        """The metadata of the default or of one version, told by a worker."""
        described = self._ask("GET", self._models(version), params={"customized": "true"})
        metadata: dict[str, Any] = described[0]["customizedMetadata"]
        return metadata

    def versions(self) -> list[dict[str, Any]]:
        """Every registered version: `version`, `default`, and `workers` as TorchServe tells them."""
        default = self._ask("GET", self._models(None))[0]["modelVersion"]
        return [
            {"version": one["modelVersion"], "default": one["modelVersion"] == default, "workers": one["workers"]}
            for one in self._ask("GET", self._models("all"))
        ]

    def is_ready(self, version: str | None = None) -> bool:
        """Whether a worker of the version answers: /ping says Healthy before that."""
        try:
            described = self._ask("GET", self._models(version), params={"customized": "true"})
        except ClientError:
            return False
        return any(worker["status"] == "READY" for worker in described[0]["workers"])

    def register(self, version: str, workers: int) -> None:
        """Registers ncf-VERSION.mar from the model store, without waiting for its workers."""
        query = {"url": f"{NAME}-{version}.mar", "model_name": NAME, "initial_workers": str(workers)}
        self._ask("POST", f"{self._settings.management}/models", params={**query, "synchronous": "false"})

    def promote(self, version: str) -> None:
        """Makes a registered version the default."""
        self._ask("PUT", f"{self._models(version)}/set-default")

    def unregister(self, version: str) -> None:
        """Removes a version; TorchServe refuses for the default while there are others."""
        self._ask("DELETE", self._models(version))

    def _models(self, version: str | None) -> str:
        return f"{self._settings.management}/models/{NAME}" + (f"/{version}" if version else "")

    def _ask(self, method: str, url: str, **options: Any) -> Any:
        try:
            response = httpx.request(method, url, timeout=self._timeout_s, auth=self._auth, trust_env=False, **options)
        except httpx.HTTPError as error:
            raise ClientError(f"{method} {url}: {error}") from error
        if response.is_error:
            raise ClientError(f"{method} {url}: {response.status_code} {_words(response)}")
        return response.json()


def _words(response: httpx.Response) -> str:
    try:
        return str(response.json()["message"])
    except (ValueError, KeyError, TypeError):
        return response.text
