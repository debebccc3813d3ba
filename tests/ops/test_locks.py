"""Verbs that change versions come one after another."""

import io
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ops.process.locks import only_verb
from ops.settings import ServerSettings
from tests.waiting import wait_until


@pytest.fixture
def settings(tmp_path: Path) -> ServerSettings:
    address = "http://127.0.0.1:1"
    return ServerSettings(tmp_path / "config.properties", tmp_path, address, address, tmp_path / "store", (), {})


def test_two_verbs_never_change_the_server_at_once(settings: ServerSettings) -> None:
    inside: list[int] = []

    def act(number: int) -> int:
        with only_verb(settings, f"verb {number}"):
            inside.append(number)
            threading.Event().wait(0.01)
            at_once = len(inside)
            inside.remove(number)
            return at_once

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(act, range(16))) == {1}


def test_a_waiting_verb_names_the_verb_it_waits_for(settings: ServerSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    monkeypatch.setattr("sys.stdout", screen)

    def wait() -> None:
        with only_verb(settings, "promote 1.1"):
            pass

    with ThreadPoolExecutor(1) as pool:
        with only_verb(settings, "register 2.0"):
            waiting = pool.submit(wait)
            wait_until(lambda: screen.tell() > 0, "a line on the screen")
            assert not waiting.done()
        waiting.result()
    assert screen.getvalue() == "waiting for `register 2.0` to end ...\n"
