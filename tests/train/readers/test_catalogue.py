"""The report names the catalogue: its file, its format, how many rated movies it knows, and why one is not used."""

from pathlib import Path

import pandas as pd
import pytest

from train.dataset.data import RatingsData
from train.readers import DataError, ReadingRules, load_ratings

RATINGS = "user_id,movie_id,rating\n1,10,3\n2,20,4\n3,30,5\n1,20,2\n"


def read(folder: Path, movies: str, rules: ReadingRules | None = None, name: str = "movies.csv") -> RatingsData:
    (folder / "ratings.csv").write_text(RATINGS)
    (folder / name).write_text(movies)
    return load_ratings(folder / "ratings.csv", rules or ReadingRules())


def records(data: RatingsData) -> list[dict[object, object]]:
    assert data.movies is not None
    return data.movies.to_dict("records")


def test_catalogue_beside_the_ratings_is_used_and_reported_with_an_example(tmp_path: Path) -> None:
    data = read(tmp_path, "movie_id,title\n10,Ten\n20,Twenty\n40,Forty\n")
    assert data.reading.lines[-1] == (
        "catalogue movies.csv: text in utf-8, comma between fields, a header line, movie_id for movies and title for "
        "titles; 3 movies, 2 of the 3 rated ones; 20, rated 2 times, is 'Twenty'"
    )
    assert load_ratings(tmp_path / "ratings.csv", ReadingRules(catalogue=False)).movies is None


def test_a_catalogue_beside_that_knows_no_rated_movie_is_a_warning(tmp_path: Path) -> None:
    data = read(tmp_path, "movie_id,title\ntt10,Ten\ntt20,Twenty\n")
    assert data.movies is None
    [warning] = data.reading.warnings
    assert warning.startswith('movies.csv: knows none of the rated movies (ids such as "20" and "tt10"); --movies FILE')


def test_named_catalogue_that_knows_no_rated_movie_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r'^m\.csv: knows none of the rated movies \(ids such as "20" and "1"\)'):
        read(tmp_path, "movie_id,title\n1,Ten\n", ReadingRules(movies=tmp_path / "m.csv"), "m.csv")


def test_a_catalogue_that_knows_few_of_the_rated_movies_is_a_warning(tmp_path: Path) -> None:
    data = read(tmp_path, "movie_id,title\n10,Ten\n1,One\n2,Two\n")
    assert data.reading.warnings[0].startswith("movies.csv: knows 1 of 3 rated movies: does it describe other movies?")


def test_catalogue_without_known_columns_is_reported_in_one_line(tmp_path: Path) -> None:
    data = read(tmp_path, "movie_id,colour\n10,red\n")
    assert data.reading.warnings == [
        "the catalogue beside the ratings is not used: movies.csv: no column of titles, genres or years; found: "
        "movie_id, colour; --title-column, --genres-column and --year-column name them"
    ]
    data = read(tmp_path, "movie_id,colour\n10,red\n", ReadingRules(title_column="colour"))
    assert records(data) == [{"movie_id": 10, "title": "red"}]


@pytest.mark.parametrize(
    "header",
    [
        "itemId;name;category",
        "Product ID;Title;Categories",
        "isbn;book_title;genre",
        "id;movie_name;tags",
        "asin;title;genres",
    ],
)
def test_columns_are_recognised_by_usual_names(tmp_path: Path, header: str) -> None:
    data = read(tmp_path, f"{header}\n10;Ten;a|b\n20;Twenty;b\n")
    assert records(data) == [
        {"movie_id": 10, "title": "Ten", "genres": ["a", "b"]},
        {"movie_id": 20, "title": "Twenty", "genres": ["b"]},
    ]


@pytest.mark.parametrize(
    "genres",
    [
        "Action, Comedy",
        "Action,Comedy",
        "Action; Comedy",
        "Action|Comedy",
        "['Action', 'Comedy']",
        '["Action", "Comedy"]',
        "[{'id': 1, 'name': 'Action'}, {'id': 2, 'name': 'Comedy'}]",
    ],
)
def test_genres_in_any_notation_are_split(tmp_path: Path, genres: str) -> None:
    frame = pd.DataFrame({"movie_id": [10, 20], "genres": [genres, "Drama"]})
    data = read(tmp_path, frame.to_csv(index=False))
    assert [one["genres"] for one in records(data)] == [["Action", "Comedy"], ["Drama"]]


def test_genres_of_movies_dat_are_split_too(tmp_path: Path) -> None:
    (tmp_path / "ratings.dat").write_text("1::2::3::4\n2::3::4::5\n")
    (tmp_path / "movies.dat").write_text("2::X::Action, Comedy\n3::Y::Drama\n")
    assert [one["genres"] for one in records(load_ratings(tmp_path))] == [["Action", "Comedy"], ["Drama"]]


def test_separator_of_genres_is_reported_and_can_be_set(tmp_path: Path) -> None:
    movies = 'movie_id,genres\n10,"Action, Comedy"\n20,Action/Drama\n'
    assert 'genres for genres ("," between them)' in read(tmp_path, movies).reading.lines[-1]
    data = read(tmp_path, movies, ReadingRules(genre_separator="/"))
    assert [one["genres"] for one in records(data)] == [["Action, Comedy"], ["Action", "Drama"]]


@pytest.mark.parametrize("year", ["1990", "1990.0", "1990-05-01", "1990-05-01 00:00:00", "01-May-1990", "05/01/1990"])
def test_a_year_is_read_from_a_date(tmp_path: Path, year: str) -> None:
    data = read(tmp_path, f"movie_id,title,year\n10,Ten,{year}\n20,Twenty (1995),\n")
    assert [one["year"] for one in records(data)] == [1990, 1995]


def test_ratings_and_catalogue_may_have_different_formats(tmp_path: Path) -> None:
    (tmp_path / "rating.csv").write_bytes(RATINGS.replace(",", "\t").encode("utf-16"))
    (tmp_path / "movie.csv").write_bytes("movieId;title\n10;별에서\n20;시네마 천국\n".encode("cp949"))
    data = load_ratings(tmp_path)
    assert data.ratings["movie_id"].tolist() == [10, 20, 30, 20]
    assert [one["title"] for one in records(data)] == ["별에서", "시네마 천국"]


def test_two_candidates_for_a_column_give_a_warning_with_the_option(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("userId,user_id,movie,score,rating\n1,8,10,3,1\n2,9,20,4,2\n")
    data = load_ratings(tmp_path / "r.csv")
    assert data.reading.warnings == [
        "r.csv: userId is used for users; user_id may also be: choose with --user-column",
        "r.csv: rating is used for ratings; score may also be: choose with --rating-column",
    ]
    assert data.ratings.to_numpy().tolist() == [[1, 10, 1], [2, 20, 2]]
    chosen = load_ratings(tmp_path / "r.csv", ReadingRules(user_column="user_id", rating_column="score"))
    assert chosen.ratings.to_numpy().tolist() == [[8, 10, 3], [9, 20, 4]]
    assert chosen.reading.warnings == []


def test_movie_listed_twice_with_different_facts_is_a_warning(tmp_path: Path) -> None:
    data = read(tmp_path, "movie_id,title\n10,Ten\n20,Twenty\n10,Other\n20,Twenty\n")
    assert [one["title"] for one in records(data)] == ["Ten", "Twenty"]
    assert data.reading.warnings[0].startswith("movies.csv:4: movie_id 10 occurs twice, with different facts")


def test_invalid_year_is_unknown_and_gives_a_warning(tmp_path: Path) -> None:
    data = read(tmp_path, "movie_id,title,year\n10,Ten,MMX\n20,Twenty,N/A\n30,Thirty,1930\n")
    assert [one["year"] for one in records(data)] == [None, None, 1930]
    [warning] = data.reading.warnings
    assert warning.startswith('movies.csv:2: year "MMX" is not a year; unknown in 1 row;')


@pytest.mark.parametrize("genre", [7, 1.5])
def test_numeric_genres_become_names(tmp_path: Path, genre: float) -> None:
    (tmp_path / "ratings.csv").write_text(RATINGS)
    pd.DataFrame({"movie_id": [10.0, 20.0], "genre": [genre, genre]}).to_parquet(tmp_path / "movies.parquet")
    data = load_ratings(tmp_path)
    assert [one["genres"] for one in records(data)] == [[str(genre)], [str(genre)]]


def test_catalogue_is_found_beside_ratings_in_a_subfolder(tmp_path: Path) -> None:
    (tmp_path / "ml").mkdir()
    read(tmp_path / "ml", "movie_id,title\n10,Ten\n20,Twenty\n")
    assert len(records(load_ratings(tmp_path))) == 2


def test_catalogue_beside_an_unusual_name_is_reported_but_not_read(tmp_path: Path) -> None:
    (tmp_path / "shop.csv").write_text(RATINGS)
    (tmp_path / "products.csv").write_text("movie_id,title\n10,Ten\n")
    data = load_ratings(tmp_path / "shop.csv", ReadingRules())
    assert data.movies is None
    [warning] = data.reading.warnings
    assert warning.startswith("products.csv lies beside shop.csv and is not used: --movies ")
    assert load_ratings(tmp_path / "shop.csv", ReadingRules(catalogue=False)).reading.warnings == []
