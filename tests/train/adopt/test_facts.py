"""The columns of an adopted network's files: which hold ids, rows and facts, and what is said of the others."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.train.adopt.conftest import MOVIES
from train.adopt.adopt import adopt
from train.adopt.config import AdoptConfig
from train.errors import DataError

Configure = Callable[..., AdoptConfig]


@pytest.mark.parametrize("options", [{}, {"item": "product"}])
def test_columns_that_are_no_known_facts_are_told(config: Configure, tmp_path: Path, options: dict[str, str]) -> None:
    lines = [f"{movie},Film {movie}" for movie in MOVIES]
    (tmp_path / "movies.csv").write_text("\n".join(["movie_id,naam", *lines]) + "\n")
    reading = adopt(config(**options)).reading
    option = "--items" if options else "--movies"
    assert reading.warnings == [
        f"the other columns of {option} are not used, so they give no titles: movies.csv: no column of titles, genres "
        "or years; found: movie_id, naam; --title-column, --genres-column and --year-column name them"
    ]


def test_columns_of_the_catalogue_can_be_named(config: Configure, tmp_path: Path) -> None:
    lines = [f"{movie},{row},Film {movie},Drama/Crime,{1990 + row},7.5" for row, movie in enumerate(MOVIES)]
    (tmp_path / "movies.csv").write_text("\n".join(["sku,row,naam,soort,jaar,price", *lines]) + "\n")
    asked = {"title_column": "naam", "genres_column": "soort", "year_column": "jaar", "genre_separator": "/"}
    made = adopt(config(**asked))
    catalogue, movie_ids = made.artifact.catalogue, made.artifact.movie_ids
    assert catalogue.columns.keys() == {"title", "genres", "year", "price"}, "the network's rows are no fact"
    row = int(movie_ids.rows([MOVIES[1]])[0])
    assert catalogue.shown(row) == {"title": f"Film {MOVIES[1]}", "genres": ["Drama", "Crime"]}
    assert catalogue.columns["year"][row] == 1991
    assert "movies.csv: price shown in answers where `fields` asks" in made.reading.lines
    assert not made.reading.warnings


def test_a_row_of_nobody_has_no_facts(config: Configure, tmp_path: Path) -> None:
    lines = [",", *(f"{movie},Film {movie}" for movie in MOVIES[1:])]
    (tmp_path / "movies.csv").write_text("\n".join(["movie_id,title", *lines]) + "\n")
    made = adopt(config())
    catalogue, movie_ids = made.artifact.catalogue, made.artifact.movie_ids
    titles = [catalogue.shown(row)["title"] for row in movie_ids.rows(MOVIES[1:]).tolist()]
    assert titles == [f"Film {movie}" for movie in MOVIES[1:]]
    assert not made.reading.warnings


def test_a_named_column_that_is_nowhere_is_an_error(config: Configure, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"movies\.csv: no column naam: the file has only the ids of the movies; give"):
        adopt(config(title_column="naam"))
    (tmp_path / "movies.csv").write_text("\n".join(["movie_id,title", *(f"{movie},a" for movie in MOVIES)]))
    with pytest.raises(DataError, match=r"movies\.csv: no column naam; found: movie_id, title; --title-column names"):
        adopt(config(title_column="naam"))


def test_rows_without_a_header_line_are_no_titles(config: Configure, tmp_path: Path) -> None:
    lines = [f"{movie},{row},Drama" for row, movie in enumerate(MOVIES)]
    (tmp_path / "movies.csv").write_text("\n".join(lines) + "\n")
    made = adopt(config(movie_column="1", movie_row_column="2"))
    assert made.artifact.catalogue.columns.keys() == {"genres"}


def test_the_columns_of_ids_are_told(config: Configure, tmp_path: Path) -> None:
    (tmp_path / "movies.csv").write_text("\n".join(["asin,sku,isbn", *(f"{movie},1,2" for movie in MOVIES)]))
    reading = adopt(config()).reading
    assert "ids: 4 users of users.csv; user_id for users; the row is the position" in reading.lines
    assert "ids: 5 movies of movies.csv; asin for movies; the row is the position" in reading.lines
    assert "movies.csv: asin is used for movies; isbn may also be: choose with --movie-column" in reading.warnings
