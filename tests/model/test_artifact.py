import json
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from model.artifact import Artifact, ArtifactError, load_artifact, save_artifact
from model.history import History
from model.ids import IdMap
from model.scale import RatingScale


def test_saved_artifact_is_loaded_unchanged(artifact: Artifact, tmp_path: Path) -> None:
    digest = save_artifact(artifact, tmp_path / "ncf.pt")
    loaded = load_artifact(tmp_path / "ncf.pt")
    assert loaded.metadata["digest"] == digest
    assert loaded.metadata["seed"] == 0
    assert (loaded.user_ids.ids == artifact.user_ids.ids).all()
    assert (loaded.movie_ids.ids == artifact.movie_ids.ids).all()
    assert loaded.scale == artifact.scale
    assert loaded.catalogue.columns == artifact.catalogue.columns
    assert loaded.history.seen(3).tolist() == [0, 4]
    pairs = torch.cartesian_prod(torch.arange(6), torch.arange(7)).T
    torch.testing.assert_close(loaded.network(*pairs), artifact.network(*pairs), atol=1e-6, rtol=0)


def test_saving_leaves_the_network_without_the_interest_part(ranked_artifact: Artifact, tmp_path: Path) -> None:
    save_artifact(ranked_artifact, tmp_path / "ncf.pt")
    assert load_artifact(tmp_path / "ncf.pt").interest is not None
    assert "interest" not in dict(ranked_artifact.network.named_children())


def test_string_ids_are_saved_and_loaded(string_artifact: Artifact, tmp_path: Path) -> None:
    save_artifact(string_artifact, tmp_path / "ncf.pt")
    loaded = load_artifact(tmp_path / "ncf.pt")
    assert loaded.user_ids.raw(np.arange(4)) == ["ann", "bob", "eve", "zoë"]
    assert loaded.movie_ids.rows(["2844", "0002844"]).tolist() == [1, 0]


def test_digest_depends_on_content_not_on_time(artifact: Artifact, tmp_path: Path) -> None:
    first = save_artifact(artifact, tmp_path / "a.pt")
    assert save_artifact(replace(artifact, metadata={"created": "later"}), tmp_path / "b.pt") == first
    assert save_artifact(replace(artifact, scale=RatingScale(1, 5)), tmp_path / "c.pt") != first


def rewrite(path: Path, name: str, change: object) -> None:
    """Rewrites the archive with one extra file changed; `change` maps its bytes."""
    with zipfile.ZipFile(path) as old:
        members = {info.filename: old.read(info) for info in old.infolist()}
    with zipfile.ZipFile(path, "w") as new:
        for member, data in members.items():
            new.writestr(member, change(data) if member.endswith(f"extra/{name}") else data)  # type: ignore[operator]


def test_newer_schema_version_is_refused(artifact: Artifact, tmp_path: Path) -> None:
    path = tmp_path / "ncf.pt"
    save_artifact(artifact, path)
    rewrite(path, "metadata.json", lambda data: json.dumps({**json.loads(data), "schema_version": 4}).encode())
    with pytest.raises(ArtifactError, match="schema_version: got 4, allowed: 1 to 3: serve it with the code"):
        load_artifact(path)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("user_ids", lambda data: data[:-1] + bytes([data[-1] ^ 1])),
        ("catalogue", lambda data: data.replace(b"Movie 1", b"Movie X")),
        ("metadata.json", lambda data: data.replace(b"10", b"11")),
    ],
)
def test_altered_content_is_refused(artifact: Artifact, tmp_path: Path, name: str, change: object) -> None:
    path = tmp_path / "ncf.pt"
    save_artifact(artifact, path)
    rewrite(path, name, change)
    with pytest.raises(ArtifactError, match="digest"):
        load_artifact(path)


def test_a_truncated_file_is_refused(artifact: Artifact, tmp_path: Path) -> None:
    path = tmp_path / "ncf.pt"
    save_artifact(artifact, path)
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(ArtifactError, match="not a readable TorchScript file"):
        load_artifact(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"ncf\.pt"):
        load_artifact(tmp_path / "ncf.pt")


def test_tables_that_do_not_match_the_ids_are_refused(artifact: Artifact, tmp_path: Path) -> None:
    ids = IdMap(artifact.user_ids.ids[:-1])
    history = History.from_ratings(*(np.array([0]),) * 2, np.array([5.0]), num_users=len(ids))
    save_artifact(replace(artifact, user_ids=ids, history=history), tmp_path / "ncf.pt")
    with pytest.raises(ArtifactError, match=r"user_embedding\.weight has 6 rows for 4 ids, expected 5"):
        load_artifact(tmp_path / "ncf.pt")


def test_diverged_network_does_not_replace_a_good_artifact(artifact: Artifact, tmp_path: Path) -> None:
    path = tmp_path / "ncf.pt"
    save_artifact(artifact, path)
    before = path.read_bytes()
    with torch.no_grad():
        artifact.network.state_dict()["user_embedding.weight"][0, 0] = float("nan")
    with pytest.raises(ArtifactError, match="not finite"):
        save_artifact(artifact, path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
