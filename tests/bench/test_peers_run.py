"""Runs of the comparison from its command line, with servers that do not start: what it saves and when it resumes."""

import copy
import json
import shutil
import signal
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from bench.peers import __main__ as peers
from bench.peers.processes import Running
from bench.peers.servers import SERVERS, Server
from bench.peers.summary import rotated
from model.artifact import Artifact, save_artifact

pytestmark = pytest.mark.skipif(
    not shutil.which("cc") or not shutil.which("wrk"), reason="the generators are not installed"
)


@pytest.fixture
def path(artifact: Artifact, tmp_path: Path) -> Path:
    save_artifact(artifact, tmp_path / "ncf.pt")
    return tmp_path / "ncf.pt"


@pytest.fixture
def starts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Replaces all servers by ones that do not start; returns the names of those that were started, in order."""
    found: list[str] = []

    def failing(name: str) -> Server:
        def start(*_: Path) -> AbstractContextManager[Running]:
            found.append(name)
            raise RuntimeError("does not start")

        return Server(name, start, SERVERS[name].dialects)

    for name in list(SERVERS):
        monkeypatch.setitem(SERVERS, name, failing(name))
    monkeypatch.setattr(peers, "is_installed", lambda _: True)
    return found


def test_run_resumes_only_rounds_of_the_same_commit(
    path: Path, starts: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds, machine = tmp_path / "rounds.json", {"commit": "one", "versions": {}, "model": {"digest": "d"}}
    monkeypatch.setattr("bench.peers.kept.KEPT", rounds)
    monkeypatch.setattr(peers, "KEPT", rounds)
    monkeypatch.setattr(peers, "ROOT", tmp_path)
    monkeypatch.setattr(peers, "describe_machine", lambda _: copy.deepcopy(machine))
    monkeypatch.setattr(signal, "signal", lambda *_: None)  # the process of the tests keeps its handlers

    def run(*options: str) -> str:
        monkeypatch.setattr("sys.argv", ["bench.peers", "--artifact", str(path), *options])
        with pytest.raises(SystemExit) as ended:
            peers.main()
        return str(ended.value.code)

    def kept() -> int:
        return len(json.loads(rounds.read_text())["rounds"])

    names = list(SERVERS)
    assert run("--rounds", "1").startswith("nothing was measured of ours, asgi, triton, ")
    assert kept() == 1
    assert run("--rounds", "3", "--resume").startswith("nothing was measured of ")
    assert starts == [*names, *rotated(names, 1), *rotated(names, 2)]
    assert kept() == 3
    machine["commit"] = "another"
    assert "run without --resume" in run("--rounds", "4", "--resume")
    assert len(starts) == 3 * len(names)
    run("--rounds", "1")
    assert kept() == 1
    assert {one.name for one in tmp_path.iterdir()} == {"ncf.pt", rounds.name}


def test_naming_a_server_twice_is_an_error(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["bench.peers", "--artifact", str(path), "--only", "ours", "stock", "stock"])
    with pytest.raises(SystemExit):
        peers._options()
    assert "--only: got stock more than once, expected each server once" in capsys.readouterr().err
