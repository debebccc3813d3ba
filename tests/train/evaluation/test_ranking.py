"""Rankings of a data set with known tastes, and where a catalogue is small or large."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from model.scale import RatingScale
from train.dataset.tensors import Ratings, TrainingSet
from train.evaluation import ranking
from train.evaluation.ranking import first_movies, rank_held_out
from train.evaluation.ranking_scores import Scores, baseline_scores, join_scores, rating_scores
from train.evaluation.ranking_words import compare_with_popular, format_rankings
from train.method import Fitted
from train.predict import predict


def given(**rankings: list[list[float]]) -> Scores:
    """The same scores whatever the block: row u is user u's."""
    return lambda users: {name: np.array(scores, dtype=np.float32)[users] for name, scores in rankings.items()}


def one_each(movies: list[int]) -> Ratings:
    """User u rated movie movies[u]."""
    return Ratings(torch.arange(len(movies)), torch.tensor(movies), torch.full((len(movies),), 5.0))


def test_lists_hold_the_highest_scores_without_what_the_user_rated(monkeypatch: pytest.MonkeyPatch) -> None:
    scores = np.random.default_rng(0).random((50, 40)).astype(np.float32)
    rated = np.random.default_rng(1).integers(0, 40, 50)
    for pairs in (40, 7 * 40, 2**21):  # users in blocks of 1, 7 and all
        monkeypatch.setattr(ranking, "_PAIRS_AT_ONCE", pairs)
        users = np.arange(3, 50)
        found = first_movies(users, one_each(rated.tolist()), 50, 40, given(own=scores.tolist()))["own"]
        for user, row in zip(users, found, strict=True):
            order = [movie for movie in np.argsort(-scores[user]) if movie != rated[user]]
            assert row.tolist() == order[:20]


def test_of_equal_scores_the_first_row_comes_first_and_a_short_catalogue_leaves_places_empty() -> None:
    found = first_movies(np.array([0]), one_each([1]), 1, 4, given(own=[[1, 9, 2, 2]]))["own"]
    assert found[0].tolist() == [2, 3, 0] + [-1] * 17


@pytest.fixture(scope="module")
def split(taste_set: TrainingSet) -> tuple[Ratings, Ratings]:
    """The tastes' ratings, every fifth of them held out."""
    held_out = torch.arange(len(taste_set.ratings)) % 5 == 0
    return taste_set.ratings.take(~held_out), taste_set.ratings.take(held_out)


def truth(held_out: Ratings, sign: float, users: int, movies: int) -> Scores:
    """The held-out ratings themselves as scores, or with a sign of -1 their opposite."""
    table = np.zeros((users, movies), dtype=np.float32)
    table[held_out.user_index, held_out.movie_index] = sign * held_out.rating.numpy()
    return lambda block: {"own": table[block]}


def test_knowing_the_truth_beats_the_baselines_and_the_line_says_by_how_much(
    split: tuple[Ratings, Ratings], taste_set: TrainingSet
) -> None:
    train, held_out = split
    users, movies = len(taste_set.user_ids), len(taste_set.movie_ids)
    scores = join_scores(truth(held_out, 1, users, movies), baseline_scores(train, movies))
    found = rank_held_out(train, held_out, users, movies, 1, scores, most_users=1_000)
    assert list(found["liked"]) == ["own", "most_popular", "best_shrunken_mean", "random"]
    assert found["liked"]["own"]["ndcg@10"] == pytest.approx(1)
    assert found["graded"]["own"]["ndcg@10"] == pytest.approx(1)
    assert found["liked"]["random"]["ndcg@10"] < 0.2
    assert found["liked"]["random"]["coverage@10"] == 1
    popular = found["liked"]["most_popular"]["ndcg@10"]
    against = found["against_most_popular"]["own"]["ndcg@10"]
    assert against["mean"] == pytest.approx(1 - popular)
    assert 0 < against["low"] < against["mean"] < against["high"] < 1
    own = found["intervals"]["most_popular"]["ndcg@10"]
    assert own["mean"] == pytest.approx(popular)
    assert own["low"] < popular < own["high"]
    better = f"{1 / popular:.2f} times as good as"
    assert compare_with_popular(found).startswith(f"The order by own is {better} the most popular movies: ")
    assert format_rankings(json.loads(json.dumps(found))).count("\n") == 5


@pytest.mark.parametrize("worst", [True, False])
def test_a_ranking_that_is_not_better_is_told_so(
    split: tuple[Ratings, Ratings], taste_set: TrainingSet, worst: bool
) -> None:
    train, held_out = split
    users, movies = len(taste_set.user_ids), len(taste_set.movie_ids)
    baselines = baseline_scores(train, movies)
    own = truth(held_out, -1, users, movies) if worst else lambda block: {"own": baselines(block)["random"]}
    found = rank_held_out(train, held_out, users, movies, 1, join_scores(own, baselines), most_users=1_000)
    words = "is worse than the most popular movies" if worst else "is not shown to be better than the most popular"
    assert f"The order by own {words}" in compare_with_popular(found)


def test_by_rating_is_the_order_of_the_predicted_ratings(taste_fit: Fitted) -> None:
    network = taste_fit.network
    users = np.array([5, 0, 7])
    units = rating_scores(network)(users)["rating"]
    every = torch.arange(network.num_movies)
    for user, row in zip(users.tolist(), units, strict=True):
        pairs = Ratings(torch.full_like(every, user), every, torch.zeros(len(every)))
        assert row == pytest.approx(predict(network, pairs, RatingScale(0, 1)).numpy(), abs=1e-6)


def test_a_large_catalogue_is_ranked_for_fewer_users(
    split: tuple[Ratings, Ratings], taste_set: TrainingSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    train, held_out = split
    users, movies = len(taste_set.user_ids), len(taste_set.movie_ids)
    monkeypatch.setattr(ranking, "MOST_PAIRS", 120 * movies)
    scores = baseline_scores(train, movies)
    assert rank_held_out(train, held_out, users, movies, 1, scores, most_users=1_000)["users"] == 120
    monkeypatch.setattr(ranking, "MOST_PAIRS", movies)
    assert rank_held_out(train, held_out, users, movies, 1, scores, most_users=1_000)["users"] == 100


def test_nobody_to_rank_for_means_no_rankings(split: tuple[Ratings, Ratings], taste_set: TrainingSet) -> None:
    train, held_out = split
    nobody = replace(held_out, user_index=torch.full_like(held_out.user_index, len(taste_set.user_ids)))
    movies = len(taste_set.movie_ids)
    scores = baseline_scores(train, movies)
    assert rank_held_out(train, nobody, len(taste_set.user_ids), movies, 1, scores, most_users=10) == {}
