"""The artifact stores large tables, ids and histories as arrays that processes map instead of reading."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import model.tables
from model.artifact import Artifact, ArtifactError, load_artifact, save_artifact
from model.asks import BestAnswer, BestAsk
from model.history import History
from model.mapped import append_arrays, map_arrays
from model.predictor import Predictor
from tests.model.test_artifact import rewrite


@pytest.fixture
def everything_mapped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counts every array with at least one dimension as large."""
    monkeypatch.setattr(model.tables, "MAPPED_BYTES", 1)


def is_mapped(address: int, path: Path) -> bool:
    """Whether this process has mapped the file into its memory."""
    for line in Path("/proc/self/maps").read_text().splitlines():
        start, end = (int(one, 16) for one in line.split()[0].split("-"))
        if start <= address < end:
            return line.endswith(str(path))
    return False


@pytest.mark.usefixtures("everything_mapped")
@pytest.mark.parametrize("ids", ["integer", "string"])
def test_mapped_tables_give_the_same_answers_as_tables_in_memory(
    ranked_artifact: Artifact, string_artifact: Artifact, ids: str, tmp_path: Path
) -> None:
    artifact = ranked_artifact if ids == "integer" else string_artifact
    save_artifact(artifact, tmp_path / "ncf.pt")
    loaded = load_artifact(tmp_path / "ncf.pt")
    assert {"user_embedding.weight", "user_ids", "history.ratings"} <= loaded.metadata["mapped"].keys()
    table = loaded.network.state_dict()["user_embedding.weight"]
    assert is_mapped(loaded.user_ids.ids.ctypes.data, tmp_path / "ncf.pt")
    assert is_mapped(table.data_ptr(), tmp_path / "ncf.pt")
    asks = [
        BestAsk(user, rank_by="blend" if ids == "integer" else "rating") for user in artifact.user_ids.raw(np.arange(4))
    ]
    for before, after in zip(Predictor(artifact).answer(asks), Predictor(loaded).answer(asks), strict=True):
        assert isinstance(before, BestAnswer)
        assert isinstance(after, BestAnswer)
        assert before.movie_ids == after.movie_ids
        assert (before.ratings == after.ratings).all()


@pytest.mark.usefixtures("everything_mapped")
def test_mapped_artifact_is_saved_again_unchanged(ranked_artifact: Artifact, tmp_path: Path) -> None:
    digest = save_artifact(ranked_artifact, tmp_path / "one.pt")
    loaded = load_artifact(tmp_path / "one.pt")
    assert save_artifact(loaded, tmp_path / "two.pt") == digest
    again = load_artifact(tmp_path / "two.pt").network.state_dict()
    for name, tensor in loaded.network.state_dict().items():
        assert torch.equal(tensor, again[name]), name


@pytest.mark.usefixtures("everything_mapped")
def test_saving_does_not_change_the_network(ranked_artifact: Artifact, tmp_path: Path) -> None:
    save_artifact(ranked_artifact, tmp_path / "one.pt")
    loaded = load_artifact(tmp_path / "one.pt")
    for artifact in (ranked_artifact, loaded):
        before = {name: tensor.clone() for name, tensor in artifact.network.state_dict().items()}
        save_artifact(artifact, tmp_path / "two.pt")
        assert all(torch.equal(before[name], tensor) for name, tensor in artifact.network.state_dict().items())


@pytest.mark.usefixtures("everything_mapped")
def test_a_change_of_a_mapped_table_stays_in_the_process(ranked_artifact: Artifact, tmp_path: Path) -> None:
    save_artifact(ranked_artifact, tmp_path / "ncf.pt")
    before = (tmp_path / "ncf.pt").read_bytes()
    loaded = load_artifact(tmp_path / "ncf.pt")
    loaded.network.state_dict()["user_embedding.weight"].fill_(7.0)
    assert (tmp_path / "ncf.pt").read_bytes() == before


def test_a_small_artifact_maps_nothing(artifact: Artifact, tmp_path: Path) -> None:
    save_artifact(artifact, tmp_path / "ncf.pt")
    assert load_artifact(tmp_path / "ncf.pt").metadata["mapped"] == {}
    assert not [name for name in zipfile.ZipFile(tmp_path / "ncf.pt").namelist() if name.startswith("mapped/")]


@pytest.mark.parametrize("version", [1, 2])
def test_artifact_of_an_earlier_schema_is_read(artifact: Artifact, tmp_path: Path, version: int) -> None:
    digest = save_artifact(artifact, tmp_path / "ncf.pt")
    rewrite(
        tmp_path / "ncf.pt",
        "metadata.json",
        lambda data: data.replace(b'"schema_version": 3', b'"schema_version": %d' % version).replace(
            b',\n "mapped": {}', b"" if version == 1 else b',\n "mapped": {}'
        ),
    )
    loaded = load_artifact(tmp_path / "ncf.pt")
    assert loaded.metadata["schema_version"] == version
    assert loaded.metadata["digest"] == digest


@pytest.mark.usefixtures("everything_mapped")
@pytest.mark.parametrize("entry", ["user_embedding.weight", "user_ids", "history.ratings", "interest.weights"])
def test_an_altered_table_is_refused(ranked_artifact: Artifact, entry: str, tmp_path: Path) -> None:
    path = tmp_path / "ncf.pt"
    save_artifact(ranked_artifact, path)
    with zipfile.ZipFile(path) as file:
        data = file.read(f"mapped/{entry}.npy")
    raw = bytearray(path.read_bytes())
    place = raw.index(data) + len(data) - 8
    raw[place] ^= 1
    path.write_bytes(raw)
    with pytest.raises(ArtifactError, match="does not match its digest"):
        load_artifact(path)


def test_two_names_of_one_table_are_one_array(tmp_path: Path) -> None:
    table = np.arange(1000.0)
    append_arrays(tmp_path / "one.zip", {"a": table, "b": table, "c": np.zeros((3, 2), np.int32)})
    with zipfile.ZipFile(tmp_path / "one.zip") as file:
        assert sorted(file.namelist()) == ["mapped/a.npy", "mapped/c.npy"]
        assert file.testzip() is None
    found = map_arrays(tmp_path / "one.zip", {"a": "mapped/a.npy", "b": "mapped/a.npy", "c": "mapped/c.npy"})
    assert found["a"] is found["b"]
    assert (found["a"] == table).all()
    assert [array.ctypes.data % 64 for array in found.values()] == [0, 0, 0]


def test_pickle_in_a_mapped_array_is_not_executed(tmp_path: Path) -> None:
    np.save(tmp_path / "bad.npy", np.array([print], dtype=object), allow_pickle=True)
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as file:
        file.write(tmp_path / "bad.npy", "mapped/a.npy")
    with pytest.raises(ValueError, match="allowed are numbers and bytes"):
        map_arrays(tmp_path / "bad.zip", {"a": "mapped/a.npy"})


def test_only_the_last_of_repeated_ratings_counts(ranked_artifact: Artifact) -> None:
    history = History.from_ratings(np.array([1, 1, 1, 0]), np.array([4, 2, 4, 4]), np.array([1.0, 5, 9, 3]), 5)
    assert [one.tolist() for one in history.last_of_user(1)] == [[2, 4], [5.0, 9.0]]
    served = Predictor(replace(ranked_artifact, history=history)).model
    assert served.user_at(1).picks.ratings.tolist() == [5.0, 9.0]
    assert served.user_at(5).picks.ratings.tolist() == []


def test_damaged_header_of_an_array_is_a_value_error(tmp_path: Path) -> None:
    path = tmp_path / "arrays.zip"
    append_arrays(path, {"one": np.arange(100)})
    with zipfile.ZipFile(path) as file:
        place = file.getinfo("mapped/one.npy").header_offset
    data = bytearray(path.read_bytes())
    data[place + 26 : place + 30] = b"\xff\xff\xff\xff"  # the lengths of name and extra field
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"arrays\.zip|one\.npy|magic"):
        map_arrays(path, {"one": "mapped/one.npy"})
    path.write_bytes(data[: place + 10])
    with pytest.raises(ValueError, match="the entries of its large tables are damaged"):
        map_arrays(path, {"one": "mapped/one.npy"})
