"""Every format is read completely, including its catalogue."""

import os
import re
from pathlib import Path

import pandas as pd
import pytest

from train.readers import DataError, ReadingRules, detect_format, load_ratings

HEADER = "user_id,movie_id,rating\n"
MAX_INT64 = 9223372036854775807
KMRD = {
    "rates.csv": f"user,movie,rate,time\n7,0,8,1\n0,{MAX_INT64},10,2\n7,0,1,3\n",
    "movies.txt": "movie\ttitle\ttitle_eng\tyear\tgrade\n"
    "0\t별\tA Star, Again , 1988\t2013\tPG\n5\t달\t\t1990\t\nodd\tx\t\t\t\n",
    "genres.csv": "movie,genre\n0,Drama\n0,War\n",
    "castings.csv": "movie,people,order,leading\n0,3,1,0\n0,2,3,1\n0,1,2,1\n0,99,4,0\n",
    "peoples.txt": "people\tkorean\toriginal\n1\t\tAnn\n2\t\tBob\n3\t\tCid\n",
    "countries.csv": "movie,country\n0,A\n5,B\n",
}
MOVIELENS = {
    "csv": {
        "ratings.csv": "userId,movieId,rating,timestamp\n7,20,0.5,1\n0,3,5.0,2\n",
        "movies.csv": 'movieId,title,genres\n3,"A, B (1995)",Comedy|Drama\n20,No year,(no genres listed)\n',
    },
    "dat": {
        "ratings.dat": "7::20::0.5::1\n0::3::5.0::2\n",
        "movies.dat": "3::A, B (1995)::Comedy|Drama\n20::No year::\n",
    },
    "tab": {
        "u.data": "7\t20\t0.5\t1\n0\t3\t5.0\t2\n",
        "u.item": "3|A, B (1995)|||x|0|1|1\n20|No year|||x|1|0|0\n",
        "u.genre": "unknown|0\nComedy|1\nDrama|2\n\n",
    },
}


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).write_bytes(text.encode())
    return folder


def test_kmrd_is_read_and_its_catalogue_joined(tmp_path: Path) -> None:
    data = load_ratings(write(tmp_path, KMRD))
    assert data.ratings.to_dict("list") == {
        "user_id": [7, 0, 7],
        "movie_id": [0, MAX_INT64, 0],
        "rating": [8.0, 10.0, 1.0],
        "time": [1.0, 2.0, 3.0],
    }
    assert (data.repeated_pairs, data.rating_scale, data.source) == (1, (1.0, 10.0), tmp_path / "rates.csv")
    assert data.movies is not None
    first, second = data.movies.to_dict("records")  # the movie called "odd" cannot occur among integer ids
    assert first == {
        "movie_id": 0,
        "title": "별",
        "title_english": "A Star, Again",
        "year": 1988,
        "grade": "PG",
        "genres": ["Drama", "War"],
        "people": ["Ann", "Bob", "Cid"],
        "countries": ["A"],
    }
    assert second == {"movie_id": 5, "title": "달", "title_english": None, "year": 1990, "grade": None} | {
        "genres": [],
        "people": [],
        "countries": ["B"],
    }


def test_kmrd_without_its_movie_files_has_no_catalogue(tmp_path: Path) -> None:
    assert load_ratings(write(tmp_path, {"rates.csv": KMRD["rates.csv"]})).movies is None


@pytest.mark.parametrize("shape", MOVIELENS)
@pytest.mark.parametrize("by_file", [False, True])
def test_every_shape_of_movielens_reads_the_same(tmp_path: Path, shape: str, by_file: bool) -> None:
    folder = write(tmp_path, MOVIELENS[shape])
    data = load_ratings(folder / next(iter(MOVIELENS[shape])) if by_file else folder)
    assert data.ratings.to_numpy().tolist() == [[7, 20, 0.5, 1], [0, 3, 5.0, 2]]
    assert data.movies is not None
    assert data.movies.to_dict("records") == [
        {"movie_id": 3, "title": "A, B (1995)", "year": 1995, "genres": ["Comedy", "Drama"]},
        {"movie_id": 20, "title": "No year", "year": None, "genres": []},
    ]


def test_movie_files_in_latin_1_are_read(tmp_path: Path) -> None:
    write(tmp_path, MOVIELENS["dat"])
    (tmp_path / "movies.dat").write_bytes("3::Café (1995)::Drama\n".encode("latin-1"))
    movies = load_ratings(tmp_path).movies
    assert movies is not None
    assert movies["title"].tolist() == ["Café (1995)"]


def test_catalogue_ids_are_strings_if_rating_ids_are(tmp_path: Path) -> None:
    write(tmp_path, {"r.csv": HEADER + "1,007,3\n2,8,4\n", "m.csv": "movie_id,title\n007,Bond\n8,Half\n"})
    movies = load_ratings(tmp_path / "r.csv", ReadingRules(movies=tmp_path / "m.csv")).movies
    assert movies is not None
    assert movies.to_dict("list") == {"movie_id": ["007", "8"], "title": ["Bond", "Half"]}


def test_options_choose_columns_and_delimiter(tmp_path: Path) -> None:
    write(tmp_path, {"r.txt": "u|m|s\na|b|-2.5\na|c|7\n", "m.txt": "m|genres|year\nb|x|1999\n"})
    named = ReadingRules(user_column="u", movie_column="m", rating_column="s", delimiter="|", movies=tmp_path / "m.txt")
    data = load_ratings(tmp_path / "r.txt", named)
    assert data.ratings["rating"].tolist() == [-2.5, 7.0]
    assert data.rating_scale == (-2.5, 7.0)
    assert data.movies is not None
    assert data.movies.to_dict("records") == [{"movie_id": "b", "year": 1999, "genres": ["x"]}]


def test_parquet_keeps_its_types(tmp_path: Path) -> None:
    pd.DataFrame({"user_id": ["1", "2"], "movie_id": [5, 0], "rating": [1, 10]}).to_parquet(tmp_path / "r.parquet")
    pd.DataFrame({"movie_id": [0], "genres": [["A", "B"]], "year": [1999.0]}).to_parquet(tmp_path / "m.parquet")
    data = load_ratings(tmp_path / "r.parquet", ReadingRules(movies=tmp_path / "m.parquet"))
    assert data.ratings.to_numpy().tolist() == [["1", 5, 1.0], ["2", 0, 10.0]]
    assert data.movies is not None
    assert data.movies.to_dict("records") == [{"movie_id": 0, "year": 1999, "genres": ["A", "B"]}]


@pytest.mark.parametrize(
    ("variable", "rows", "users", "movies", "scale", "movie"),
    [
        ("KMRD_DIR", 140_710, 52_028, 600, (1, 10), 10003),
        ("MOVIETWEETINGS_DIR", 100_000, 16_554, 10_506, (0, 10), "1074638"),
        ("MOVIELENS_DIR", 100_004, 671, 9_066, (0.5, 5), 31),
    ],
)
def test_published_data_sets_are_read_whole(
    variable: str, rows: int, users: int, movies: int, scale: tuple[float, float], movie: int | str
) -> None:
    if variable not in os.environ:
        pytest.skip(f"{variable} names no folder")
    data = load_ratings(os.environ[variable])
    assert (len(data.ratings), data.ratings["user_id"].nunique()) == (rows, users)
    assert (data.ratings["movie_id"].nunique(), data.rating_scale) == (movies, scale)
    assert data.ratings["movie_id"][0] == movie
    assert data.movies is not None
    assert data.movies["movie_id"].dtype == data.ratings["movie_id"].dtype


@pytest.mark.parametrize(
    ("name", "text", "format"),
    [
        ("rates.csv", "user,movie,rate\n", "kmrd"),
        ("ratings.csv", "userId,movieId,rating\n", "movielens"),
        ("ratings.csv", HEADER, "csv"),
        ("ratings.dat", "1::2::3\n", "movielens"),
        ("a.tsv", "x\ty\n", "csv"),
        ("a.parquet", "", "parquet"),
    ],
)
def test_format_of_a_file_is_detected(tmp_path: Path, name: str, text: str, format: str) -> None:
    assert detect_format(write(tmp_path, {name: text}) / name) == format


def test_folder_without_a_known_format_is_refused_with_the_known_names(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=re.escape("no ratings here; allowed are files such as ratings.csv")):
        load_ratings(tmp_path)
