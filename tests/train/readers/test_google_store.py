"""Ratings in Google Cloud Storage are read like those in a local folder; a stand-in speaks its protocol."""

from collections.abc import Iterator

import pytest

from tests.train.readers.google_store import serve_google_store
from train.dataset.reading import Reading
from train.errors import DataError
from train.readers import ReadingRules, load_ratings, open_by_file

ROWS = [[1, 10, 3.0], [2, 20, 4.5], [1, 20, 2.0]]
RULES = ReadingRules()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The query that follows the path in an address of this store."""
    folder = tmp_path_factory.mktemp("store")
    (folder / "films" / "parts").mkdir(parents=True)
    for number, some in enumerate((ROWS[:2], ROWS[2:])):
        lines = ["user_id,movie_id,rating", *(",".join(map(str, row)) for row in some)]
        (folder / "films" / "parts" / f"part-{number}.csv").write_text("\n".join(lines) + "\n")
    with serve_google_store(folder) as address:
        yield f"?scheme=http&endpoint_override={address.replace(':', '%3A')}"


def test_a_folder_is_read(store: str) -> None:
    data = load_ratings(f"gs://anonymous@films/parts{store}")
    assert data.ratings[["user_id", "movie_id", "rating"]].to_numpy().tolist() == ROWS


@pytest.mark.parametrize("name", ["parts", "parts/*.csv", "*/part-*.csv"])
def test_files_are_read_one_by_one(store: str, name: str) -> None:
    files = open_by_file(f"gs://anonymous@films/{name}{store}", RULES, Reading())
    numbers = [sum(one.table.num_rows for one in files.first)]
    numbers += [sum(one.table.num_rows for one in file.read(RULES)) for file in files.later]
    assert numbers == [2, 1]


def test_a_missing_folder_is_reported(store: str) -> None:
    with pytest.raises(DataError, match="films/none: no such file or folder in this store"):
        load_ratings(f"gs://anonymous@films/none{store}")
