"""`make serve` with a fault at any step does not change server, record, keys and files.

A stand-in for TorchServe remembers what it serves; tests/e2e/test_make.py tests a failing start of the real one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import ops.auth
import ops.store.archives
from ops import auth
from ops.client import ClientError
from ops.process import preflight, serve, server
from ops.settings import ServerSettings
from ops.store.archives import start_version, start_with
from ops.store.record import read_record
from tests.ops.faults import fail_at
from tests.ops.management import settings_for

FAULTS = [ClientError("injected"), OSError(28, "injected: no space left"), KeyError("injected"), KeyboardInterrupt()]
STEPS: list[tuple[Any, str]] = [
    *((preflight, name) for name in ("check_version", "check_addresses")),
    *((server, name) for name in ("settings_as_started", "is_current", "stop", "start", "wait_until_ready")),
    *((ops.store.archives, name) for name in ("link_start_archive", "change_record")),
    (ops.auth, "choose"),
]


@dataclass
class TorchServe:
    """The running server: its version, and whether it needs keys; None if none runs."""

    running: tuple[str | None, bool] | None = None
    starts: int = 0
    settings: ServerSettings | None = field(default=None)

    def start(self, settings: ServerSettings) -> int:
        assert self.running is None, "started beside one that runs"
        self.running = (start_version(settings.model_store), auth.is_on(settings))
        self.starts += 1
        return 1

    def stop(self, _: ServerSettings) -> bool:
        was, self.running = self.running, None
        return was is not None

    def is_current(self, settings: ServerSettings, version: str) -> bool:
        return self.running == (version, auth.is_on(settings))


@pytest.fixture
def torchserve(monkeypatch: pytest.MonkeyPatch) -> TorchServe:
    fake = TorchServe()
    monkeypatch.setattr(server, "start", fake.start)
    monkeypatch.setattr(server, "stop", fake.stop)
    monkeypatch.setattr(server, "is_current", fake.is_current)
    monkeypatch.setattr(server, "running", lambda _: 1 if fake.running else None)
    monkeypatch.setattr(server, "settings_as_started", lambda settings: settings if fake.running else None)
    monkeypatch.setattr(server, "wait_until_ready", lambda _: None)
    monkeypatch.setattr(serve, "default_version", lambda _: fake.running[0] if fake.running else None)
    monkeypatch.setattr(preflight, "check_version", lambda *_: None)
    monkeypatch.setattr(preflight, "check_addresses", lambda *_: None)
    return fake


@pytest.fixture
def settings(tmp_path: Path) -> ServerSettings:
    """A folder with versions 1.0, the default, and 1.1."""
    found = settings_for(tmp_path, "http://127.0.0.1:1")
    found.model_store.mkdir()
    for version in ("1.0", "1.1"):
        (found.model_store / f"ncf-{version}.mar").write_text(version)
    start_with(found.model_store, "1.0")
    return found


@pytest.mark.parametrize("after", [False, True], ids=["before the step", "after the step"])
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: type(fault).__name__)
@pytest.mark.parametrize("runs", [True, False], ids=["a server runs", "no server runs"])
def test_fault_at_any_step_restores_everything(
    torchserve: TorchServe,
    settings: ServerSettings,
    monkeypatch: pytest.MonkeyPatch,
    runs: bool,
    fault: BaseException,
    after: bool,
) -> None:
    if runs:
        serve.serve(settings, "1.0")

    def seen() -> tuple[Any, ...]:
        start = (settings.model_store / "ncf.mar").read_text()
        return torchserve.running, read_record(settings.model_store), start, auth.is_on(settings)

    before = seen()
    for number in range(1, 60):
        with monkeypatch.context() as patch:
            calls = fail_at(patch, STEPS, number, fault, after)
            try:
                serve.serve(settings, "1.1", "on")
            except type(fault):
                pass
            else:
                break
        assert seen() == before, f"after a fault at call {number}, {calls[number - 1]}"
    else:
        pytest.fail("the verb never got through")
    assert number > 8
    assert seen()[0] == ("1.1", True)


@pytest.mark.usefixtures("torchserve")
def test_a_restart_with_another_version_names_both(
    settings: ServerSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    serve.serve(settings, "1.0")
    assert "stopping the running server" not in capsys.readouterr().out
    serve.serve(settings, "1.1")
    told = "stopping the running server: its default version was 1.0 and will be 1.1"
    assert told in capsys.readouterr().out
