"""The verbs with ratings in a database: a stand-in for `train` writes its arguments."""

from pathlib import Path

import pytest

from ops.build import commands, verbs
from ops.build.recipe import Recipe
from ops.build.shelf import Shelf, VersionError
from tests.ops.build.stand_ins import write_archive

URL = "postgresql://ann@db.example.org/films"


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shelf:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model-store").mkdir()
    (tmp_path / "build" / "demo").mkdir(parents=True)
    (tmp_path / "build" / "demo" / "rates.csv").touch()
    monkeypatch.setattr(commands, "train", write_trained)
    monkeypatch.setattr(commands, "update", write_updated)
    monkeypatch.setattr(commands, "package", write_archive)
    return Shelf(Path("build"), Path("model-store"))


def write_trained(recipe: Recipe, _version: str, out: Path, _processes: str | None, _resume: bool) -> None:
    (out / "ncf.pt").write_text(f"{recipe.options['DATA']} {recipe.options['TRAIN_ARGS']}")


def write_updated(options: dict[str, str], _base: Path, _version: str, out: Path) -> None:
    (out / "ncf.pt").write_text(f"{options['RATINGS']} {options['UPDATE_ARGS']}")


def test_same_query_reuses_a_version_and_another_query_makes_a_new_one(shelf: Shelf) -> None:
    asked = {"DATA": URL, "QUERY": "select * from rated"}
    assert verbs.package(asked, shelf) == "1.0"
    assert shelf.artifact("1.0").read_text() == f"{URL} --query 'select * from rated'"
    for again in (asked, {"DATA": URL}, {}):
        assert verbs.package(again, shelf) == "1.0"
    assert verbs.train({**asked, "QUERY": "select * from others"}, shelf) == "1.1"
    assert verbs.train({**asked, "DATA": URL + "2"}, shelf) == "1.2"


def test_every_update_from_a_database_is_a_new_version(shelf: Shelf) -> None:
    verbs.package({"DATA": URL, "TABLE": "rated"}, shelf)
    assert verbs.update({"RATINGS": URL}, shelf) == "1.1"
    assert verbs.update({"RATINGS": URL}, shelf) == "1.2"
    assert verbs.update({"RATINGS": URL, "TABLE": "others"}, shelf) == "1.3"
    assert shelf.artifact("1.3").read_text() == f"{URL} --table others"
    with pytest.raises(VersionError, match=r"1\.3 already exists"):
        verbs.update({"RATINGS": URL, "VERSION": "1.3"}, shelf)


def test_address_with_a_password_is_refused_before_any_output(
    shelf: Shelf, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = URL.replace("ann@", "ann:s3cret@")
    for asked, verb in (({"DATA": secret}, verbs.package), ({"RATINGS": secret}, verbs.update)):
        with pytest.raises(ValueError, match="holds a password: leave it out") as raised:
            verb(asked, shelf)
        assert "s3cret" not in str(raised.value)
    assert "".join(capsys.readouterr()) == ""
    assert list((tmp_path / "model-store").iterdir()) == []
