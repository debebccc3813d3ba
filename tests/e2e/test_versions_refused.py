"""A version that cannot be served or gives wrong answers is refused, and the served versions do not change."""

import os
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest

from ops.client import ClientError
from ops.process.loaded import note_loaded
from ops.store.record import read_record
from ops.versions.checks import RolloutError
from ops.versions.rollout import Rollout
from tests.e2e.altered import RAISES_AT_LOAD, alter, replacing
from tests.e2e.project import Project

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("alone_afterwards")]

BAD = {
    "raises at load": (RAISES_AT_LOAD, "a worker ended 2 times while loading"),
    "answers one more": (
        {"model/scorer.py": ("to_rating(units.astype(np.float64))", "to_rating(units.astype(np.float64)) + 1")},
        r"one pair: rating: served \d+\.\d+, expected \d",
    ),
    "answers as another": (
        {"handler/service.py": ("{VERSION_HEADER: version}", '{VERSION_HEADER: "1.0"}')},
        "one pair: answered by version 1.0, expected 6.0",
    ),
}


@pytest.mark.parametrize("how", BAD)
def test_a_bad_version_is_removed_again_and_the_others_stay(served: Project, pair: dict[str, Any], how: str) -> None:
    replace, says = BAD[how]
    store, before, registered = served.settings.model_store, served.ask(pair).json(), served.versions
    record = read_record(store)
    alter(store / "ncf-1.1.mar", store / "ncf-6.0.mar", "6.0", replacing(replace))
    with pytest.raises(RolloutError, match=f"^version 6.0 was removed again: {says}"):
        Rollout(served.client, served.settings).register("6.0")
    assert served.versions == registered
    assert served.ask(pair).json() == before
    assert read_record(store) == record


def test_an_archive_that_cannot_be_this_version_never_reaches_the_server(served: Project) -> None:
    store, registered = served.settings.model_store, served.versions
    shutil.copy(store / "ncf-1.1.mar", store / "ncf-6.1.mar")
    told = served.make("register", "VERSION=6.1", check=False)
    assert "versions: version 6.1 was not registered: " in told
    assert "ncf-6.1.mar: holds version 1.1, expected 6.1" in told
    (store / "ncf-6.2.mar").write_bytes((store / "ncf-1.1.mar").read_bytes()[:100_000])
    told = served.make("register", "VERSION=6.2", check=False)
    assert "ncf-6.2.mar" in told
    assert "Traceback" not in told
    assert served.versions == registered


def test_a_version_without_workers_is_not_promoted(served: Project) -> None:
    store = served.settings.model_store
    alter(store / "ncf-1.1.mar", store / "ncf-6.3.mar", "6.3")
    served.client.register("6.3", workers=0)
    told = served.make("promote", "VERSION=6.3", check=False)
    assert "versions: version 6.3 was not promoted: it has no worker" in told
    assert served.default_version == "1.0"
    served.make("unregister", "VERSION=6.3")
    assert "6.3" not in served.versions


def test_a_promotion_that_fails_leaves_the_former_default(
    served: Project, pair: dict[str, Any], tmp_path: Path
) -> None:
    store, mark, before = served.settings.model_store, tmp_path / "mark", read_record(served.settings.model_store)
    steady = "to_rating(units.astype(np.float64))"
    unsteady = f"{steady} + np.random.random() * __import__('os').path.exists({str(mark)!r})"
    alter(store / "ncf-1.1.mar", store / "ncf-6.4.mar", "6.4", replacing({"model/scorer.py": (steady, unsteady)}))
    served.client.register("6.4", workers=1)

    def refusal() -> str:
        told = served.make("promote", "VERSION=6.4", check=False)
        assert served.ask(pair).headers["X-Model-Version"] == served.default_version == "1.0"
        return told.partition("versions: version 6.4 was not promoted: ")[2]

    mark.touch()
    assert refusal().startswith(
        "one pair: rating: served "
    )  # it was registered without the verbs, so its answers are compared now
    note_loaded(served.settings, "6.4")
    assert refusal().startswith("as the default: rating: served ")  # it was the default for a moment
    os.utime(store / "ncf-6.4.mar")
    assert "ncf-6.4.mar: changed since it was loaded" in refusal()
    assert "the archive of version 6.4 has changed since it was loaded" in served.make("versions")
    with zipfile.ZipFile(store / "ncf-6.4.mar", "a") as archive:
        archive.writestr("sitecustomize.py", "")
    assert "ncf-6.4.mar: sitecustomize.py: not in SHA256SUMS" in refusal()
    served.make("unregister", "VERSION=6.4")
    assert read_record(store) == before


def test_a_version_that_is_not_registered_is_refused_with_those_that_are(served: Project) -> None:
    for verb in ("promote", "unregister", "canary"):
        told = served.make(verb, "VERSION=9.9", check=False)
        assert f"version 9.9 is not registered; registered: {', '.join(served.versions)}\n" in told
    assert "ncf-9.9.mar: no such archive" in served.make("register", "VERSION=9.9", check=False)
    with pytest.raises(ClientError, match="404"):
        served.client.unregister("9.9")
    assert served.default_version == "1.0"
