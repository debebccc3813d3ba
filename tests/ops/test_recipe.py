"""The recipe of a version contains every file that its training reads, in any folder."""

from pathlib import Path

import pytest

from ops.build.recipe import CATALOGUES, Recipe, describe_files
from train.readers import kmrd, movielens, netflix
from train.readers.parts import CATALOGUE_STEMS


def recipe(data: Path, arguments: str = "") -> Recipe:
    return Recipe("train", {"TRAIN_ARGS": arguments}, describe_files(data, arguments, None))


@pytest.mark.parametrize(
    "name",
    [*kmrd.CATALOGUE_FILES, *movielens.CATALOGUE_FILES, netflix.TITLES_FILE, *(f"{s}.csv" for s in CATALOGUE_STEMS)],
)
@pytest.mark.parametrize("packed", ["", ".gz"])
def test_edited_catalogue_beside_the_ratings_changes_the_recipe(tmp_path: Path, name: str, packed: str) -> None:
    (tmp_path / "ratings.csv").write_text("ratings")
    (tmp_path / f"{name}{packed}").write_text("before")
    before = recipe(tmp_path / "ratings.csv")
    assert recipe(tmp_path / "ratings.csv").is_same(before)
    (tmp_path / f"{name}{packed}").write_text("after")
    assert not recipe(tmp_path / "ratings.csv").is_same(before)


def test_other_files_beside_the_ratings_do_not_matter(tmp_path: Path) -> None:
    (tmp_path / "ratings.csv").write_text("ratings")
    before = recipe(tmp_path / "ratings.csv")
    (tmp_path / "notes.csv").write_text("anything")
    (tmp_path / "movies").mkdir()
    assert recipe(tmp_path / "ratings.csv").is_same(before)


def test_edited_part_in_a_subfolder_changes_the_recipe(tmp_path: Path) -> None:
    for day in ("day=1", "day=2"):
        (tmp_path / day).mkdir()
        (tmp_path / day / "part-0.csv").write_text(day)
    before = recipe(tmp_path)
    assert len(before.files) == 2
    (tmp_path / "day=1" / "part-0.csv").write_text("day=3")
    assert not recipe(tmp_path).is_same(before)


def test_two_files_with_the_same_name_are_both_in_the_recipe(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    for folder in (tmp_path, tmp_path / "other"):
        (folder / "data.csv").write_text("before")
    arguments = f"--movies {tmp_path / 'other' / 'data.csv'}"
    before = recipe(tmp_path / "data.csv", arguments)
    (tmp_path / "data.csv").write_text("after")
    assert not recipe(tmp_path / "data.csv", arguments).is_same(before)


def test_recipe_knows_every_catalogue_name_of_training() -> None:
    names = (*kmrd.CATALOGUE_FILES, *movielens.CATALOGUE_FILES, netflix.TITLES_FILE, *CATALOGUE_STEMS)
    assert {name.split(".")[0] for name in names} <= CATALOGUES
