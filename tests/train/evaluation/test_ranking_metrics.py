"""Each metric of rankings against the libraries whose definitions it has, and by hand where a list is short."""

import numpy as np
import pytest

from train.evaluation.ranking_metrics import Lists, measure_lists

USERS, MOVIES, RATERS = 30, 60, 80

# ranx 0.3.21 on `example`: every movie with a gain above 0 is relevant; the gains count in nDCG alone.
RANX = {
    "recall@5": 0.10085326000063213,
    "recall@10": 0.18960471868943277,
    "recall@20": 0.33607395332157025,
    "precision@5": 0.41999999999999993,
    "precision@10": 0.37999999999999995,
    "precision@20": 0.35666666666666663,
    "hit_rate@5": 0.8333333333333334,
    "hit_rate@10": 0.9,
    "hit_rate@20": 0.9333333333333333,
    "mrr@5": 0.565,
    "mrr@10": 0.573095238095238,
    "mrr@20": 0.5747619047619048,
    "map@5": 0.0676044258755245,
    "map@10": 0.10702728342650067,
    "map@20": 0.1705553622461028,
}
RANX_NDCG = {
    False: {"ndcg@5": 0.41761849495419623, "ndcg@10": 0.3999458381726965, "ndcg@20": 0.40831079537527526},
    True: {"ndcg@5": 0.2536405154804043, "ndcg@10": 0.25586875503773904, "ndcg@20": 0.30548505452669145},
}
# RecTools 0.19.0 on `example`: CatalogCoverage, MeanInvUserFreq, AvgRecPopularity.
RECTOOLS = {
    "coverage@5": 0.9333333333333333,
    "coverage@10": 1.0,
    "coverage@20": 1.0,
    "novelty@5": 3.3851044510303914,
    "novelty@10": 3.4267367824073363,
    "novelty@20": 3.401718625156534,
    "popularity@5": 11.333333333333336,
    "popularity@10": 10.91,
    "popularity@20": 11.106666666666666,
}


def example(graded: bool) -> Lists:
    """Random gains and a random order of all movies, whose first 20 are the lists; one movie has no rater."""
    random = np.random.default_rng(5)
    share = random.uniform(0.01, 0.6, (USERS, 1))
    gain = np.where(random.random((USERS, MOVIES)) < share, random.integers(1, 10, (USERS, MOVIES)), 0)
    gain[np.arange(USERS), random.integers(0, MOVIES, USERS)] = 5
    score = random.permuted(np.tile(np.arange(MOVIES), (USERS, 1)), axis=1)
    rated = random.random((RATERS, MOVIES)) < random.uniform(0, 0.3, MOVIES)
    rated[:, 0] = False
    gain = (gain if graded else np.minimum(gain, 1)).astype(np.float64)
    movie = np.argsort(-score, axis=1)[:, :20]
    return Lists(
        movie=movie,
        gain=np.take_along_axis(gain, movie, 1),
        ideal=-np.sort(-gain, axis=1)[:, :20],
        relevant=(gain > 0).sum(1),
        raters=rated.sum(0)[movie],
        num_users=RATERS,
        num_movies=MOVIES,
    )


@pytest.mark.parametrize("graded", [False, True])
def test_every_metric_agrees_with_the_library_whose_definition_it_has(graded: bool) -> None:
    found = {name: float(values.mean()) for name, values in measure_lists(example(graded)).items()}
    expected = {**RANX, **RANX_NDCG[graded], **RECTOOLS}
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=0, abs=1e-9), name


def test_a_list_of_one_hit_in_second_place_by_hand() -> None:
    movie = np.full((1, 20), -1)
    movie[0, :3] = [4, 7, 1]
    gain = np.zeros((1, 20))
    gain[0, 1] = 1
    ideal = np.zeros((1, 20))
    ideal[0, :2] = 1  # another movie is relevant too, and not in the list
    raters = np.zeros((1, 20), dtype=np.int64)
    raters[0, :3] = [8, 4, 0]
    found = {
        name: float(values.mean())
        for name, values in measure_lists(
            Lists(movie, gain, ideal, np.array([2]), raters, num_users=8, num_movies=10)
        ).items()
    }
    assert found["ndcg@5"] == pytest.approx((1 / np.log2(3)) / (1 + 1 / np.log2(3)))
    assert found["recall@5"] == 1 / 2
    assert found["precision@5"] == 1 / 5
    assert found["hit_rate@5"] == 1
    assert found["mrr@5"] == 1 / 2
    assert found["map@5"] == 1 / 4
    assert found["coverage@20"] == 3 / 10
    assert found["novelty@20"] == (0 + 1 + 3) / 3  # a movie that nobody rated counts as rated by one user
    assert found["popularity@20"] == 4


def test_an_empty_list_is_worth_nothing() -> None:
    none, zeros, ideal = np.full((1, 20), -1), np.zeros((1, 20)), np.eye(1, 20)
    found = measure_lists(Lists(none, zeros, ideal, np.array([1]), np.zeros((1, 20), dtype=np.int64), 8, 10))
    assert {float(values.mean()) for values in found.values()} == {0.0}
