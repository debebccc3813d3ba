"""AUTH=on and the verbs: they read the keys, rotate them, and replace lost ones."""

import json
import stat
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from ops import auth
from ops.client import Client
from ops.process.supervise import ASK_S
from tests.e2e.conftest import end
from tests.e2e.guarded import PAIR, guarding, is_refused, request
from tests.e2e.project import Project
from tests.e2e.supervised import supervised
from tests.e2e.test_features import assert_shown
from tests.waiting import wait_until

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def guarded(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    with guarding(project, tmp_path_factory.mktemp("guarded")) as copy:
        yield copy


def test_the_verbs_use_the_keys(guarded: Project) -> None:
    assert '"rating":' in guarded.make("predict", f"BODY={json.dumps(PAIR)}")
    assert "READY" in guarded.make("versions")
    for verb in ("register", "promote"):
        guarded.make(verb, "VERSION=1.1")
    assert "1.0" in guarded.make("promote", "VERSION=1.0")
    guarded.make("unregister", "VERSION=1.1")


def test_printed_curl_lines_can_be_pasted(guarded: Project) -> None:
    printed = guarded.make("serve")
    line, answer = next(
        pair for pair in zip(printed.splitlines(), printed.splitlines()[1:], strict=False) if "curl" in pair[0]
    )
    assert str(auth.find_key(guarded.settings, "inference")) not in printed
    assert json.loads(guarded.run("bash", "-ec", line).stdout) == json.loads(answer)


def test_only_the_owner_reads_the_key_file(guarded: Project) -> None:
    assert stat.S_IMODE(auth.key_file(guarded.settings).stat().st_mode) == 0o600
    ignored = guarded.folder / ".gitignore"
    assert "/key_file.json" in ignored.read_text().splitlines()


def test_rotation_ends_the_old_keys(guarded: Project) -> None:
    old = auth.find_key(guarded.settings, "inference")
    said = guarded.make("rotate-keys")
    assert "new inference key, valid until" in said
    assert is_refused(request("POST", f"{guarded.settings.inference}/predictions/ncf", old, json=PAIR))
    assert stat.S_IMODE(auth.key_file(guarded.settings).stat().st_mode) == 0o600


def test_running_clients_survive_rotations(guarded: Project) -> None:
    over, answered = threading.Event(), [0] * 4

    def ask(number: int) -> None:
        client = Client(guarded.settings)
        while not over.is_set():
            assert "rating" in client.predict(PAIR)
            answered[number] += 1

    def all_go_on() -> bool:
        return all(now > then for now, then in zip(answered, before, strict=True)) or any(map(Future.done, asking))

    with ThreadPoolExecutor(4) as pool:
        asking = [pool.submit(ask, number) for number in range(4)]
        try:
            keys = {auth.find_key(guarded.settings, "inference")}
            for _ in range(10):
                before = list(answered)
                wait_until(all_go_on, lambda: f"an answer for each client: {answered}")
                auth.rotate(guarded.settings)
                keys.add(auth.find_key(guarded.settings, "inference"))
        finally:
            over.set()
        for one in asking:
            one.result()
    assert len(keys) == 11


def test_advised_start_replaces_lost_keys(guarded: Project) -> None:
    for lose in (lambda path: path.unlink(), lambda path: path.write_text("{}")):
        lose(auth.key_file(guarded.settings))
        assert "`make serve AUTH=on` makes new keys" in guarded.make("versions", check=False)
        for verb in ("rotate-keys", "token"):
            told = guarded.make(verb, check=False)
            assert "no keys there: `make serve AUTH=on` starts a server with keys" in told
            assert "Traceback" not in told
    guarded.make("serve", "AUTH=on")
    assert "READY" in guarded.make("versions")


def test_supervisor_with_a_refused_key_reports_it_once_and_does_not_restart(guarded: Project, tmp_path: Path) -> None:
    end(guarded)
    with supervised(guarded, tmp_path, "--unanswered-s", "3") as one:
        before, keys = one.front_end(), auth.key_file(guarded.settings).read_text()
        expired = {kind: {**entry, "key": "expired"} for kind, entry in json.loads(keys).items()}
        auth.key_file(guarded.settings).write_text(json.dumps(expired))
        one.wait_for("`make rotate-keys` makes new keys")
        time.sleep(ASK_S + 2)  # the supervisor checks once more
        assert one.said.count("the server refuses the key") == 1
        assert "no ready worker" not in one.said
        assert one.front_end() == before
        auth.key_file(guarded.settings).write_text(keys)
        assert "rating" in guarded.client.predict(PAIR)


def test_command_shows_the_feature(guarded: Project) -> None:
    assert_shown(guarded, "auth")


def test_auth_off_needs_no_key_again(guarded: Project) -> None:
    assert "AUTH: got 'perhaps'" in guarded.make("serve", "AUTH=perhaps", check=False)
    assert "Authorization" not in guarded.make("serve", "AUTH=off")
    assert not auth.key_file(guarded.settings).exists()
    assert "rating" in guarded.ask(PAIR).json()
    assert "no keys there" in guarded.make("token", check=False)
