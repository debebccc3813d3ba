"""A prepared folder with new ratings holds what preparing all ratings at once would, and leaves the old files alone."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from train.dataset.hashes import id_hashes, part_of
from train.errors import DataError
from train.prepared.extend import ExtendConfig, extend, main
from train.prepared.folder import PreparedFolder
from train.prepared.prepare import prepare
from train.readers import ReadingRules


@pytest.fixture
def base(frame: pd.DataFrame, tmp_path: Path) -> Path:
    frame.to_csv(tmp_path / "old.csv", index=False)
    prepare(tmp_path / "old.csv", ReadingRules(), None, tmp_path / "old")
    return tmp_path / "old"


@pytest.fixture
def new(frame: pd.DataFrame) -> pd.DataFrame:
    """Ratings by two users, one of them new, of a known movie and a new one."""
    users = [int(frame["user_id"].iloc[0]), 10**12]
    rows = [(user, movie, 4.5, 1_600_000_000.0) for user in users for movie in (2**40, 77)]
    return pd.DataFrame(rows, columns=["user_id", "movie_id", "rating", "time"])


def extended(base: Path, ratings: pd.DataFrame, name: str = "new") -> Path:
    data, out = base.with_name(f"{name}.csv"), base.with_name(name)
    ratings.to_csv(data, index=False)
    extend(ExtendConfig(base=base, data=str(data), out=out))
    return out


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def rows(folder: Path) -> pd.DataFrame:
    found = pd.concat(pd.read_parquet(path, partitioning=None) for path in folder.glob("ratings/part=*/*.parquet"))
    return found.sort_values(found.columns.tolist()).reset_index(drop=True)


def test_it_holds_what_preparing_all_ratings_at_once_does(base: Path, frame: pd.DataFrame, new: pd.DataFrame) -> None:
    out = extended(base, new)
    pd.concat([frame, new]).to_csv(base.with_name("all.csv"), index=False)
    prepare(base.with_name("all.csv"), ReadingRules(), None, base.with_name("all"))
    pd.testing.assert_frame_equal(rows(out), rows(base.with_name("all")))
    at_once = PreparedFolder(base.with_name("all"))
    assert PreparedFolder(out).manifest.ratings == at_once.manifest.ratings
    assert PreparedFolder(out).items().tolist() == at_once.items().tolist()


def test_only_the_parts_of_users_with_new_ratings_get_a_file(base: Path, new: pd.DataFrame) -> None:
    before = contents(base)
    out = extended(base, new)
    assert contents(base) == before
    ratings = {name: data for name, data in contents(out).items() if name.startswith("ratings")}
    parts = part_of(id_hashes(np.unique(new["user_id"].to_numpy())), PreparedFolder(base).manifest.parts)
    assert {name for name in ratings if name not in before} == {
        f"ratings/part={part}/added-1.parquet" for part in parts
    }
    assert {name: ratings[name] for name in before if name.startswith("ratings")} == {
        name: data for name, data in before.items() if name.startswith("ratings")
    }


def test_ratings_that_the_base_has_are_left_out(base: Path, frame: pd.DataFrame, new: pd.DataFrame) -> None:
    cumulative = pd.concat([frame.drop_duplicates().head(100), new])
    out = extended(base, cumulative)
    assert PreparedFolder(out).manifest.ratings == PreparedFolder(base).manifest.ratings + len(new)
    with pytest.raises(DataError, match=r"old: already has what .*again\.csv holds, 100 ratings"):
        extended(base, frame.drop_duplicates().head(100), "again")
    assert not base.with_name("again").exists()


def test_a_folder_is_extended_again_and_again(base: Path, new: pd.DataFrame) -> None:
    first = extended(base, new, "first")
    second = extended(first, new.assign(time=1_700_000_000.0), "second")
    assert PreparedFolder(second).manifest.ratings == PreparedFolder(base).manifest.ratings + 2 * len(new)
    assert len(list(second.glob("ratings/part=*/added-2.parquet"))) == len(
        list(first.glob("ratings/part=*/added-1.parquet"))
    )


def test_string_ids_and_the_catalogue_of_new_movies_are_added(tmp_path: Path) -> None:
    for name, movie, users in (("old", "a", range(40)), ("new", "b", range(30, 50))):
        (tmp_path / name).mkdir()
        lines = [f"u{user},{movie},{user % 5 + 1}" for user in users]
        (tmp_path / name / "ratings.csv").write_text("\n".join(["user_id,movie_id,rating", *lines]) + "\n")
        (tmp_path / name / "movies.csv").write_text(f"movie_id,title\n{movie},The {movie}\n")
    prepare(tmp_path / "old", ReadingRules(), None, tmp_path / "base")
    out = tmp_path / "out"
    extend(ExtendConfig(base=tmp_path / "base", data=str(tmp_path / "new"), out=out))
    catalogue = PreparedFolder(out).catalogue()
    assert catalogue is not None
    assert catalogue[["movie_id", "title"]].to_numpy().tolist() == [["a", "The a"], ["b", "The b"]]
    assert len(rows(out)) == 60


def test_unchanged_parts_share_their_disk_space(base: Path, new: pd.DataFrame) -> None:
    out = extended(base, new)
    for path in base.glob("ratings/part=*/0.parquet"):
        assert path.samefile(out / path.relative_to(base))


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"rating": 11.0}, "new.csv:2: rating 11 is outside 0.5..5"),
        ({"user_id": "somebody"}, 'new.csv:2: user_id "somebody" is not an integer'),
        ({"time": None}, "new.csv: the ratings have no times, and those of"),
    ],
)
def test_what_does_not_fit_the_base_is_refused_and_nothing_is_written(
    base: Path, new: pd.DataFrame, changed: dict[str, Any], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = new.drop(columns="time") if "time" in changed else new.assign(**changed)
    wrong.to_csv(base.with_name("new.csv"), index=False)
    names = sorted(path.name for path in base.parent.iterdir())
    words = ["--base", str(base), "--data", str(base.with_name("new.csv")), "--out", str(base.with_name("out"))]
    assert main(words) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1
    assert sorted(path.name for path in base.parent.iterdir()) == names
