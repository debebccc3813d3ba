import numpy as np
import pandas as pd
import pytest
import torch

from model.ids import IdMap
from train.dataset.features import movie_features
from train.dataset.tensors import index_ratings

MOVIE_IDS = IdMap(np.arange(20) * 10)
RATED = np.arange(15)


def catalogue(**columns: list) -> pd.DataFrame:
    return pd.DataFrame({"movie_id": [*range(0, 200, 10), 5], **columns})  # 5 is no movie of the map


def test_genres_and_years_become_columns_with_mean_zero_over_the_rated_movies() -> None:
    genres = [["Drama", "Drama"] if row % 2 else ["Comedy", "Rare"][: 1 + (row == 4)] for row in range(21)]
    features = movie_features(catalogue(genres=genres, year=[1990 + row for row in range(21)]), MOVIE_IDS, RATED)
    assert features is not None
    assert features.shape == (20, 4)  # comedy, drama, year, year squared; one movie is too few for a column
    torch.testing.assert_close(features[:15].mean(0), torch.zeros(4), atol=1e-5, rtol=0)
    assert features[:, 0].unique().tolist() == pytest.approx([-8 / 15, 7 / 15])
    assert bool((features[1:, 2] > features[:-1, 2]).all())


def test_missing_facts_count_as_the_mean() -> None:
    genres: list = [["Drama"] if row % 2 else ["Comedy"] for row in range(21)]
    years: list = [1990 + row for row in range(21)]
    genres[3], genres[4], years[3] = [], None, None
    features = movie_features(catalogue(genres=genres, year=years), MOVIE_IDS, RATED)
    assert features is not None
    assert features[3].tolist() == [0, 0, 0, 0]
    assert features[4, :2].tolist() == [0, 0]
    assert features[4, 2] != 0


@pytest.mark.parametrize(
    "columns", [{}, {"genres": [[]] * 21}, {"year": [None] * 21}, {"year": [2000] * 21}, {"grade": [None] * 21}]
)
def test_a_catalogue_without_facts_gives_no_features_and_no_rows(columns: dict) -> None:
    assert movie_features(catalogue(**columns), MOVIE_IDS, RATED) is None
    ratings = pd.DataFrame({"user_id": [1, 2], "movie_id": [10, 20], "rating": [3.0, 4.0]})
    assert index_ratings(ratings, catalogue(**columns)).movie_ids.ids.tolist() == [10, 20]


def test_string_ids_of_unrated_movies_get_rows_too() -> None:
    ratings = pd.DataFrame({"user_id": ["a"] * 6, "movie_id": list("defghi"), "rating": [1.0] * 6})
    movies = pd.DataFrame({"movie_id": list("bdefghi"), "genres": [["Drama"]] * 7})
    data = index_ratings(ratings.astype({"movie_id": "str"}), movies.astype({"movie_id": "str"}))
    assert data.movie_ids.raw(np.arange(7)) == list("bdefghi")
    assert data.ratings.movie_index.tolist() == [1, 2, 3, 4, 5, 6]
    assert data.features is not None
