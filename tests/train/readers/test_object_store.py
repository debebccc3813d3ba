"""Ratings in an object store are read like those in a local folder; a stand-in for the store speaks S3."""

import gzip
from collections.abc import Iterator

import pandas as pd
import pytest

from tests.train.readers.store import serve_store
from train.readers import DataError, load_ratings

ROWS = [[1, 10, 3.0], [2, 20, 4.5], [1, 20, 2.0]]
TEXT = "user_id,movie_id,rating\n1,10,3\n2,20,4.5\n1,20,2\n"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The query that follows the path in an address of this store."""
    folder = tmp_path_factory.mktemp("store")
    films, parts = folder / "films", folder / "films" / "parts"
    parts.mkdir(parents=True)
    (films / "ratings.csv").write_text(TEXT)
    (films / "movies.csv").write_text("movie_id,title\n10,Matrix\n20,Alien\n")
    (films / "plain.csv.gz").write_bytes(gzip.compress(TEXT.encode()))
    (films / "bad.csv").write_text(TEXT + "3,30,x\n")
    (films / "photo.jpg").write_bytes(b"no data")
    (films / "only-photos").mkdir()
    (films / "only-photos" / "a.jpg").write_bytes(b"no data")
    frame = pd.DataFrame(ROWS, columns=["user_id", "movie_id", "rating"]).astype({"user_id": int, "movie_id": int})
    for year, some in ((2023, frame[:2]), (2024, frame[2:])):
        (parts / f"year={year}").mkdir()
        some.to_parquet(parts / f"year={year}" / "part-0.parquet")
    (parts / "_SUCCESS").write_text("")
    with serve_store(folder) as address:
        yield f"?region=us-east-1&scheme=http&endpoint_override={address}"


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")


@pytest.mark.parametrize("name", ["ratings.csv", "plain.csv.gz", "parts", "parts/"])
def test_a_file_and_a_folder_of_parts_are_read(store: str, name: str) -> None:
    data = load_ratings(f"s3://films/{name}{store}")
    assert sorted(data.ratings[["user_id", "movie_id", "rating"]].to_numpy().tolist()) == sorted(ROWS)
    assert f"s3://films/{name.rstrip('/')}: " in data.reading.lines[0]


def test_catalogue_beside_a_file_is_read_too(store: str) -> None:
    data = load_ratings(f"s3://films/ratings.csv{store}")
    assert data.movies is not None
    assert data.movies["title"].tolist() == ["Matrix", "Alien"]
    assert data.reading.lines[0].endswith("2 files of 81 bytes")


def test_fault_is_reported_with_its_line(store: str) -> None:
    with pytest.raises(DataError, match=r'^bad\.csv:5: rating "x" is not a number'):
        load_ratings(f"s3://films/bad.csv{store}")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("none.csv", "s3://films/none.csv: no such file or folder"),
        ("only-photos", "s3://films/only-photos: no data files"),
    ],
)
def test_missing_file_or_folder_is_reported(store: str, name: str, told: str) -> None:
    with pytest.raises(DataError, match=told):
        load_ratings(f"s3://films/{name}{store}")


def test_silent_store_is_reported_without_the_keys() -> None:
    nobody = "?region=us-east-1&scheme=http&endpoint_override=127.0.0.1:9"
    with pytest.raises(DataError, match=r"^s3://films/ratings\.csv: cannot be read: ") as refused:
        load_ratings(f"s3://films/ratings.csv{nobody}")
    assert "secret" not in str(refused.value)


def test_keys_in_an_address_are_refused_and_not_repeated() -> None:
    with pytest.raises(DataError, match=r"^s3://: the address holds a password: .*AWS_SECRET_ACCESS_KEY") as refused:
        load_ratings("s3://id:hidden@films/ratings.csv")
    assert "hidden" not in str(refused.value)
