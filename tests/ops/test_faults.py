"""A verb that fails at any step does not change server, record and files.

The test finds the steps by itself: it counts every call that a verb makes. It then runs the verb with a fault at the
first call, at the second, and so on, until the verb succeeds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import ops.store.archives
import ops.versions.checks
import ops.versions.rollout
from ops.client import Client, ClientError
from ops.process import state
from ops.settings import stamp
from ops.store.archives import start_with
from ops.store.record import change_record, read_record
from ops.versions import reference, smoke
from ops.versions.checks import RolloutError
from ops.versions.rollout import Rollout
from tests.ops.faults import fail_at
from tests.ops.management import Management, client_for, served, settings_for

FAULTS = [ClientError("injected"), OSError(28, "injected: no space left"), KeyError("injected"), KeyboardInterrupt()]
VERBS = (
    "register",
    "promote",
    "promote one without examples",
    "rollback",
    "rollback to one that was removed",
    "unregister",
)
# The functions that the verbs use, by the module or class in which they look them up.
STEPS: list[tuple[Any, str]] = [
    *((Client, name) for name in ("register", "promote", "unregister", "versions", "workers", "describe", "answer")),
    *((Client, name) for name in ("requests_by_name",)),
    *((ops.versions.rollout, name) for name in ("wait_until_ready", "note_loaded", "forget_loaded", "drain")),
    *((ops.versions.rollout, name) for name in ("change_record", "start_with", "whole_archive", "check_restart")),
    *((ops.versions.rollout, name) for name in ("check_default", "check_same_items")),
    *((ops.store.archives, name) for name in ("link_start_archive", "change_record")),
    *((ops.versions.checks, name) for name in ("wait_until_ready", "note_loaded", "whole_archive")),
    (smoke, "smoke"),
    (reference, "Reference"),
]


class Folder:
    """A folder with versions 1.0 (the default) and 1.1, and a server that has some of them."""

    def __init__(self, path: Path, management: Management, address: str) -> None:
        self.management = management
        self.settings = settings_for(path, address)
        self.store = self.settings.model_store
        self.store.mkdir()
        for version in ("1.0", "1.1"):
            (self.store / f"ncf-{version}.mar").write_text(version)
        start_with(self.store, "1.0")
        change_record(self.store, lambda record: record.with_registered(["1.0"]))
        loaded = {"1.0": stamp(self.store / "ncf-1.0.mar")}
        state.write(self.settings, {"pid": None, "scratch": "s", "started_with": None, "loaded": loaded})
        self.rollout = Rollout(client_for(path, address), self.settings)

    def register(self, version: str) -> None:
        """The state after the verb."""
        self.rollout.register(version)

    def seen(self) -> tuple[Any, ...]:
        """Everything that a failed verb must not change."""
        inode = (self.store / "ncf.mar").stat().st_ino
        start = [path.name for path in sorted(self.store.glob("ncf-*.mar")) if path.stat().st_ino == inode]
        files = sorted(path.name for path in self.store.iterdir() if not path.name.endswith(".lock"))
        server = (dict(self.management.versions), self.management.default)
        return server, read_record(self.store), start, files, state.read(self.settings)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Folder]:
    """Archives are text files here: the checks of their digests, ids and answers are switched off."""
    monkeypatch.setattr(ops.versions.checks, "check_archive", lambda path: path.name)
    monkeypatch.setattr(reference, "Reference", lambda *_: type("R", (), {"artifact": None}))
    monkeypatch.setattr(smoke, "smoke", lambda *_: None)
    monkeypatch.setattr(smoke, "asks", lambda _: [("one pair", b"{}")])
    monkeypatch.setattr(ops.versions.rollout, "_QUIET_S", 0.0)
    management = Management()
    with served(management) as address:
        yield Folder(tmp_path, management, address)


def verbs(folder: Folder) -> dict[str, tuple[Callable[[], None], Callable[[], object]]]:
    """For each name: the preparation, and the verb."""
    rollout = folder.rollout

    def nothing() -> None:
        pass

    def register() -> None:
        rollout.register("1.1")

    def register_without_example() -> None:
        folder.management.with_example = False
        register()

    def promote() -> None:
        register()
        rollout.promote("1.1")

    def promote_alone() -> None:
        promote()
        rollout.unregister("1.0")

    return {
        "register": (nothing, lambda: rollout.register("1.1")),
        "promote": (register, lambda: rollout.promote("1.1")),
        "promote one without examples": (register_without_example, lambda: rollout.promote("1.1")),
        "rollback": (promote, rollout.rollback),
        "rollback to one that was removed": (promote_alone, rollout.rollback),
        "unregister": (register, lambda: rollout.unregister("1.1")),
    }


@pytest.mark.parametrize("after", [False, True], ids=["before the step", "after the step"])
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: type(fault).__name__)
@pytest.mark.parametrize("verb", VERBS)
def test_a_fault_at_any_step_changes_nothing(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, verb: str, fault: BaseException, after: bool
) -> None:
    prepare, do = verbs(folder)[verb]
    prepare()
    before = folder.seen()
    for number in range(1, 100):
        with monkeypatch.context() as patch:
            calls = fail_at(patch, STEPS, number, fault, after)
            try:
                do()
            except (type(fault), RolloutError):
                pass
            else:
                if len(calls) < number:
                    break
                # The verb tolerates this fault: the drain repeats a describe, and a removal counts even if its answer
                # was lost.
                assert verb == "unregister"
                assert "1.1" not in folder.management.versions
                prepare()
                before = folder.seen()
        assert folder.seen() == before, f"after a fault at call {number}, {calls[number - 1]}"
    else:
        pytest.fail("the verb never got through")
    assert number > 5
    assert folder.seen() != before


def test_a_version_that_was_never_made_is_refused_with_those_that_were(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for verb in (folder.rollout.promote, folder.rollout.unregister):
        with pytest.raises(ClientError, match=r"^version 7 is not registered; registered: 1\.0$"):
            verb("7")
    there = r"ncf-7\.mar: no such archive; there are 1\.0, 1\.1; `make train package VERSION=7` makes it$"
    with pytest.raises(RolloutError, match=there):
        folder.rollout.register("7")


def test_a_rollback_to_a_version_of_other_items_is_refused(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    verbs(folder)["rollback"][0]()
    monkeypatch.setattr(ops.versions.checks, "shared_items", lambda *_: 0.03)
    before = folder.seen()
    with pytest.raises(
        RolloutError, match=r"trained on other data than 1\.1: they share 3% .* `make promote VERSION=1\.0`"
    ):
        folder.rollout.rollback()
    assert folder.seen() == before
