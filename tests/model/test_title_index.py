import numpy as np
import pytest

from model.title_index import TitleIndex

TITLES = [
    "The Matrix",
    "Amélie",
    "Schindler's List",
    "매트릭스",
    "七人の侍",
    "Matador",
    "Mating Game, The",
    "Straße",
    "!",
]
POPULARITY = np.array([9, 1, 1, 1, 1, 3, 30, 1, 0])


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("mat", ["Mating Game, The", "Matador", "The Matrix"]),
        ("MATR", ["The Matrix"]),
        ("matrix the", ["The Matrix"]),
        ("amelie", ["Amélie"]),
        ("ÀMÉL", ["Amélie"]),
        ("schindlers l", ["Schindler's List"]),
        ("schindler’s", ["Schindler's List"]),
        ("strasse", ["Straße"]),
        ("매트", ["매트릭스"]),
        ("ㅁ", ["매트릭스"]),
        ("侍", ["七人の侍"]),
        ("atrix", []),
        ("mat zz", []),
    ],
)
def test_query_finds_titles_by_the_beginnings_of_words(query: str, found: list[str]) -> None:
    rows = TitleIndex(TITLES, POPULARITY).find(query, 9)
    assert [TITLES[row] for row in rows] == found


def test_empty_query_finds_the_movies_with_the_most_ratings() -> None:
    assert TitleIndex(TITLES, POPULARITY).find(" ?", 3).tolist() == [6, 0, 5]


def test_title_starting_with_the_query_comes_before_popular_titles() -> None:
    index = TitleIndex(["Another Matrix", "Matrix"], np.array([9, 1]))
    assert index.find("matrix", 1).tolist() == [1]
