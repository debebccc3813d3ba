"""Which versions a refresh removes."""

import json
import os
from pathlib import Path

from ops.build.shelf import Shelf
from ops.refresh.journal import REFRESHED
from ops.refresh.prune import outdated


def test_refreshed_version_under_a_users_name_is_kept(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "build", tmp_path / "model-store")
    shelf.store.mkdir()
    made = (("1.0", None), ("1.1", "1.1"), ("mine", "1.1"), ("1.2", "1.2"))
    for place, (version, made_as) in enumerate(made):
        shelf.folder(version).mkdir(parents=True)
        shelf.artifact(version).write_text(version)
        os.utime(shelf.artifact(version), (place, place))
        if made_as is not None:
            (shelf.folder(version) / REFRESHED).write_text(json.dumps({"version": made_as}))
    assert outdated(shelf, 1) == ["1.1"]
