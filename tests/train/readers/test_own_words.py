"""Files with a shop's own words: the choice of columns, the report, and further columns of the catalogue."""

import math
from pathlib import Path

import pandas as pd
import pytest

from train.__main__ import parse_config
from train.dataset.data import RatingsData
from train.errors import DataError
from train.readers import ReadingRules, load_ratings

SHOP = ReadingRules(item="gadget", tags="kinds")


def read(folder: Path, catalogue: str, rules: ReadingRules = SHOP) -> RatingsData:
    (folder / "ratings.csv").write_text("customer,gadget,stars\n1,10,3\n2,20,4\n3,30,5\n1,20,2\n")
    (folder / "products.csv").write_text(catalogue)
    return load_ratings(folder / "ratings.csv", rules)


def test_own_words_recognise_columns_and_appear_in_the_report(tmp_path: Path) -> None:
    data = read(tmp_path, "gadget,name,kinds\n10,Ten,Toy|Red\n20,Twenty,Toy\n")
    told = "\n".join(data.reading.lines)
    assert "columns: customer for users, gadget for gadgets, stars for ratings" in told
    assert 'gadget for gadgets, name for titles and kinds for kinds ("|" between them); 2 gadgets, 2 of the 3' in told
    assert "movie" not in told
    assert "genre" not in told


@pytest.mark.parametrize(
    ("header", "option"),
    [("who,thing,stars", r"no column of users; .* --user-column"), ("user,thing,stars", "--item-column")],
)
def test_error_about_a_column_names_the_option_that_fixes_it(tmp_path: Path, header: str, option: str) -> None:
    (tmp_path / "ratings.csv").write_text(f"{header}\n1,10,3\n".replace("who", "x"))
    with pytest.raises(DataError, match=option):
        load_ratings(tmp_path / "ratings.csv", SHOP)


def test_unrecognised_catalogue_is_reported_with_found_and_known_names(tmp_path: Path) -> None:
    [warning] = read(tmp_path, "gadget,colour\n10,red\n20,blue\n").reading.warnings
    assert "no column of titles, kinds or years; found: gadget, colour" in warning
    assert "--title-column, --tags-column and --year-column name them" in warning


def test_further_columns_keep_types_and_missing_values(tmp_path: Path) -> None:
    rows = "10,Ten,9.5,3,007,red\n20,Twenty,,4,010,NA\n30,Thirty,1e2,5,011,blue\n"
    data = read(tmp_path, f"gadget,name,price,stock,code,colour\n{rows}")
    assert data.movies is not None
    assert data.movies["price"].tolist() == [9.5, None, 100.0]
    assert data.movies["stock"].tolist() == [3, 4, 5]
    assert data.movies["code"].tolist() == ["007", "010", "011"]
    assert data.movies["colour"].tolist() == ["red", "NA", "blue"]
    assert any("price, stock, code and colour shown in answers" in line for line in data.reading.lines)


def test_a_further_column_with_the_name_of_a_field_is_left_out_with_a_warning(tmp_path: Path) -> None:
    data = read(tmp_path, "gadget,name,score,price\n10,Ten,7,1\n20,Twenty,8,2\n")
    assert data.movies is not None
    assert list(data.movies.columns) == ["movie_id", "title", "price"]
    assert any(
        "score not kept: answers already have such a field; rename the column" in w for w in data.reading.warnings
    )


def test_typed_columns_become_json_values(tmp_path: Path) -> None:
    read(tmp_path, "gadget\n")
    (tmp_path / "products.csv").unlink()
    frame = pd.DataFrame(
        {
            "gadget": [10, 20],
            "name": ["Ten", "Twenty"],
            "price": [1.5, math.nan],
            "since": pd.to_datetime(["2026-01-31", "2026-02-01"]),
            "sold": [True, False],
        }
    )
    frame.to_parquet(tmp_path / "products.parquet")
    movies = load_ratings(tmp_path / "ratings.csv", SHOP).movies
    assert movies is not None
    assert movies["price"].tolist() == [1.5, None]
    assert movies["since"].str[:10].tolist() == ["2026-01-31", "2026-02-01"]
    assert movies["sold"].tolist() == [True, False]


def test_options_have_names_without_movies() -> None:
    given = "--item product --tags categories --items p.csv --item-column sku --tags-column kind --item-ids string"
    config = parse_config(given.split())
    assert (config.item, config.tags, config.movie_column, config.genres_column) == (
        "product",
        "categories",
        "sku",
        "kind",
    )
    assert (config.movies, config.movie_ids) == (Path("p.csv"), "string")


def test_a_word_that_cannot_be_used_is_refused_before_anything_is_read(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse_config(["--item", "rating"])
    assert "--item: got 'rating', and the field rating" in capsys.readouterr().err
