"""A version that was trained by parts takes new ratings like any other, beside a folder that holds them too."""

from pathlib import Path

import numpy as np
import pytest

from model.artifact import Artifact, load_artifact
from tests.train.parts.conftest import Train
from train.prepared.extend import ExtendConfig, extend
from train.prepared.prepare import prepare
from train.readers import ReadingRules
from train.update.__main__ import main as update


@pytest.mark.parametrize("new_user", [False, True])
def test_new_ratings_move_those_whom_they_concern(
    train: Train, small_file: Path, tmp_path: Path, new_user: bool
) -> None:
    prepare(small_file, ReadingRules(), None, tmp_path / "prepared", show=False)
    train(tmp_path / "1.0", data=tmp_path / "prepared")
    base = load_artifact(tmp_path / "1.0" / "ncf.pt")
    user, movies = 10**6 if new_user else int(base.user_ids.ids[3]), base.movie_ids.ids[:2].tolist()
    (tmp_path / "new.csv").write_text(f"user_id,movie_id,rating\n{user},{movies[0]},1\n{user},{movies[1]},1\n")
    words = ["--base", str(tmp_path / "1.0" / "ncf.pt"), "--ratings", str(tmp_path / "new.csv")]
    assert update([*words, "--out", str(tmp_path / "1.1"), "--version", "1.1"]) == 0
    updated = load_artifact(tmp_path / "1.1" / "ncf.pt")

    rated = np.repeat(base.user_ids.ids, np.diff(base.history.offsets))
    concerned = {*rated[np.isin(base.history.movie_index, (0, 1))].tolist(), user}
    before, after = rows(base), rows(updated)
    moved = {one for one in after if one not in before or not np.array_equal(after[one], before[one])}
    assert user in moved
    assert moved <= concerned
    assert len(concerned) < len(before) / 2

    folder = ExtendConfig(base=tmp_path / "prepared", data=str(tmp_path / "new.csv"), out=tmp_path / "more")
    extend(folder)
    train(tmp_path / "2.0", data=tmp_path / "more")
    again = load_artifact(tmp_path / "2.0" / "ncf.pt")
    assert again.user_ids.ids.tolist() == updated.user_ids.ids.tolist()
    assert len(again.history.ratings) == len(updated.history.ratings)


def rows(artifact: Artifact) -> dict[int, np.ndarray]:
    """The row of each user."""
    table = artifact.network.state_dict()["user_embedding.weight"].numpy()
    return dict(zip(artifact.user_ids.ids.tolist(), table[:-1], strict=True))
