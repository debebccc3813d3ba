"""The interest part: its equation, new users, and its place in an artifact."""

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from model.artifact import Artifact, ArtifactError, load_artifact, save_artifact
from model.asks import BestAnswer, BestAsk, ExplainAnswer, ExplainAsk, FoldInAnswer, FoldInAsk
from model.history import History
from model.interest import Interest, interests_of
from model.neighbours import list_pairs
from model.picks import Picks
from model.predictor import Predictor
from model.ranking import Ranking
from tests.conftest import MOVIE_IDS

# The ratings of user 11_242: movie 3 with 8 and movie 77_777 with 9.
MOVIES = np.array([0, 4])
RATINGS = np.array([8.0, 9.0], dtype=np.float32)


def interest_of(artifact: Artifact) -> Interest:
    assert artifact.interest is not None
    return artifact.interest


def best(predictor: Predictor, ask: BestAsk) -> BestAnswer:
    [answer] = predictor.answer([ask])
    assert isinstance(answer, BestAnswer)
    return answer


def test_interest_is_the_sum_over_the_history_and_a_fading_popularity(ranked_artifact: Artifact) -> None:
    interest = interest_of(ranked_artifact)
    weights, popularity = interest.weights.numpy(), interest.popularity.numpy()
    [found] = Ranking(interest).interests([Picks(MOVIES, RATINGS)])
    strength = 1 + 0.2 * (RATINGS - 8.5)
    expected = strength[0] * weights[0] + strength[1] * weights[4]
    assert found[:5] == pytest.approx(expected[:5] + 0.5 * popularity[:5] / 3, abs=1e-6)
    assert found[5:].tolist() == [0, 0]  # without weights and raters: the last movie, and the unknown one


def test_restraint_lowers_popular_movies_in_units_of_the_spread(ranked_artifact: Artifact) -> None:
    interest = interest_of(ranked_artifact)
    history = [Picks(MOVIES, RATINGS), Picks(MOVIES[:0], RATINGS[:0])]
    before = Ranking(interest).interests(history)
    interest.restraint.fill_(0.5)
    after = Ranking(interest).interests(history)
    rarity = interest.rarity.numpy()
    assert after[0] == pytest.approx(before[0] + 0.5 * before[0].std() * rarity, abs=1e-6)
    assert rarity[:6].mean() == pytest.approx(0, abs=1e-6)
    assert rarity[:6].std() == pytest.approx(1, abs=1e-6)
    assert rarity.argmax() == 5  # nobody rated it
    assert (after[1] == before[1]).all()  # a user without ratings gets the most popular movies


def test_interest_of_many_users_equals_their_single_interest(ranked_artifact: Artifact) -> None:
    ranking = Ranking(interest_of(ranked_artifact))
    histories = [Picks(MOVIES[:0], RATINGS[:0]), Picks(MOVIES, RATINGS), Picks(MOVIES[1:], RATINGS[1:])]
    alone = np.concatenate([ranking.interests([history]) for history in histories])
    assert ranking.interests(histories) == pytest.approx(alone, abs=1e-6)


@pytest.mark.parametrize("restraint", [0.0, 0.5])
@pytest.mark.parametrize("level", [0.0, 0.2])
@pytest.mark.parametrize("large", [False, True])
def test_interest_of_a_cpu_equals_the_module(
    ranked_artifact: Artifact, restraint: float, level: float, large: bool
) -> None:
    interest = interest_of(with_neighbours(ranked_artifact) if large else ranked_artifact)
    interest.restraint.fill_(restraint)
    interest.level.fill_(level)
    sizes = [0, 1, 6, 0, 3]
    movies = np.concatenate([np.arange(size, dtype=np.int32) for size in sizes])
    ratings = np.random.default_rng(0).uniform(1, 10, len(movies)).astype(np.float32)
    offsets = np.concatenate(([0], np.cumsum(sizes)))
    parts = [slice(*ends) for ends in itertools.pairwise(offsets)]
    picks = [Picks(movies[part], ratings[part]) for part in parts]
    picks.append(Picks(np.arange(5, dtype=np.int32), ratings[:2]))  # and three events
    picks.append(Picks(np.arange(2, dtype=np.int32), ratings[:0]))  # events alone
    expected = interests_of(interest, picks).numpy()
    assert Ranking(interest).interests(picks) == pytest.approx(expected, abs=1e-6)


def test_saved_artifact_has_the_same_interest(ranked_artifact: Artifact, tmp_path: Path) -> None:
    history = [Picks(MOVIES, RATINGS)]
    before = Ranking(interest_of(ranked_artifact)).interests(history)
    save_artifact(ranked_artifact, tmp_path / "ncf.pt")
    after = Ranking(interest_of(load_artifact(tmp_path / "ncf.pt"))).interests(history)
    assert (before == after).all()


def test_interest_of_an_earlier_release_has_no_neighbours(ranked_artifact: Artifact) -> None:
    history = [Picks(MOVIES, RATINGS)]
    expected = Ranking(interest_of(ranked_artifact)).interests(history)
    del interest_of(ranked_artifact).neighbours
    assert (Ranking(interest_of(ranked_artifact)).interests(history) == expected).all()


def with_neighbours(artifact: Artifact, num: int = 1) -> Artifact:
    """The same, where the movies of rows 0 and 4 make that of row 5 interesting, which has no column."""
    pairs = np.repeat([0, 4], num), np.full(2 * num, 5), np.repeat([0.25, 0.5], num) / num
    interest_of(artifact).neighbours = list_pairs(*pairs, num_movies=6)
    return artifact


def test_neighbours_add_to_the_interest_of_movies_without_a_column(ranked_artifact: Artifact) -> None:
    histories = [Picks(MOVIES[:0], RATINGS[:0]), Picks(MOVIES, RATINGS), Picks(MOVIES[1:], RATINGS[1:])]
    before = Ranking(interest_of(ranked_artifact)).interests(histories)
    ranking = Ranking(interest_of(with_neighbours(ranked_artifact)))
    after = ranking.interests(histories)
    strength = 1 + 0.2 * (RATINGS - 8.5)
    assert after[:, 5] - before[:, 5] == pytest.approx([0, strength @ [0.25, 0.5], 0.5], abs=1e-6)
    assert (after[:, [0, 1, 2, 3, 4, 6]] == before[:, [0, 1, 2, 3, 4, 6]]).all()
    parts = ranking.parts(histories[1], 5, 6.0, after[1])
    assert parts.shares == pytest.approx(strength * [0.25, 0.5], abs=1e-6)


@pytest.mark.parametrize("num", [1, 200_000])  # the second is more than a MiB, so that it is mapped
def test_saved_artifact_has_the_same_neighbours(ranked_artifact: Artifact, tmp_path: Path, num: int) -> None:
    history = [Picks(MOVIES, RATINGS)]
    before = Ranking(interest_of(with_neighbours(ranked_artifact, num))).interests(history)
    save_artifact(ranked_artifact, tmp_path / "ncf.pt")
    after = Ranking(interest_of(load_artifact(tmp_path / "ncf.pt"))).interests(history)
    assert (before == after).all()
    assert after[0, 5] > 0.7


def test_digest_covers_the_interest(ranked_artifact: Artifact, tmp_path: Path) -> None:
    first = save_artifact(ranked_artifact, tmp_path / "one.pt")
    interest_of(ranked_artifact).weights[0, 1] += 1
    assert save_artifact(ranked_artifact, tmp_path / "two.pt") != first


def test_interest_with_a_wrong_number_of_movies_is_refused(ranked_artifact: Artifact, tmp_path: Path) -> None:
    interest_of(ranked_artifact).popularity = torch.zeros(4)
    save_artifact(ranked_artifact, tmp_path / "ncf.pt")
    with pytest.raises(ArtifactError, match="the interest part has 3 movies"):
        load_artifact(tmp_path / "ncf.pt")


@pytest.mark.parametrize(("rank_by", "rating_weight"), [("interest", 0.0), ("blend", 0.05)])
def test_best_movies_are_sorted_by_the_requested_ranking(
    ranked_artifact: Artifact, rank_by: str, rating_weight: float
) -> None:
    predictor = Predictor(ranked_artifact)
    answer = best(predictor, BestAsk(11_242, rank_by=rank_by))  # type: ignore[arg-type]
    [interest] = Ranking(interest_of(ranked_artifact)).interests([Picks(MOVIES, RATINGS)])
    expected = interest[answer.movie_index] + rating_weight * (answer.ratings - 6)
    assert answer.scores == pytest.approx(expected, abs=1e-5)
    assert sorted(answer.scores.tolist(), reverse=True) == answer.scores.tolist()
    assert set(answer.movie_ids) == set(MOVIE_IDS)


def test_best_by_rating_score_is_the_rating(ranked_artifact: Artifact) -> None:
    answer = best(Predictor(ranked_artifact), BestAsk(11_242, rank_by="rating"))
    assert answer.scores.tolist() == answer.ratings.tolist() == sorted(answer.ratings.tolist(), reverse=True)


def test_unknown_user_gets_the_most_popular(ranked_artifact: Artifact) -> None:
    answer = best(Predictor(ranked_artifact), BestAsk(99, top_k=3, rank_by="blend"))
    assert answer.movie_ids == [77_777, 10_102, 3]
    assert not answer.user_known


def test_fold_in_user_has_the_interest_of_a_known_user_with_the_same_ratings(ranked_artifact: Artifact) -> None:
    predictor = Predictor(ranked_artifact)
    known = best(predictor, BestAsk(11_242, rank_by="interest"))
    folded, alone = predictor.answer(
        [
            FoldInAsk(BestAsk(None, rank_by="interest"), [3, 77_777], [8.0, 9.0]),
            FoldInAsk(BestAsk(11_242, rank_by="interest"), [3], [8.0]),
        ]
    )
    for answer in (folded, alone):
        assert isinstance(answer, FoldInAnswer)
        assert isinstance(answer.answer, BestAnswer)
        assert answer.answer.movie_ids == known.movie_ids
        assert answer.answer.scores == pytest.approx(known.scores, abs=1e-6)


def test_movie_that_was_rated_twice_counts_with_its_last_rating(ranked_artifact: Artifact) -> None:
    twice = History.from_ratings(np.array([3, 3, 3]), np.array([0, 4, 0]), np.array([2.0, 9.0, 8.0]), 5)
    repeated = replace(ranked_artifact, history=twice)
    once = best(Predictor(ranked_artifact), BestAsk(11_242, rank_by="interest"))
    assert best(Predictor(repeated), BestAsk(11_242, rank_by="interest")).scores == pytest.approx(once.scores)


def test_novelty_raises_rare_movies(ranked_artifact: Artifact) -> None:
    predictor = Predictor(ranked_artifact)
    plain, novel = (best(predictor, BestAsk(7, rank_by="blend", novelty=novelty)) for novelty in (0.0, 1.0))
    rare = MOVIE_IDS[5]
    assert novel.movie_ids.index(rare) < plain.movie_ids.index(rare)


def test_score_parts_add_up(ranked_artifact: Artifact) -> None:
    predictor = Predictor(ranked_artifact)
    listed = best(predictor, BestAsk(11_242, [10_253], rank_by="blend"))
    [answer] = predictor.answer([ExplainAsk(11_242, 10_253)])
    assert isinstance(answer, ExplainAnswer)
    score = answer.score
    assert score is not None
    assert score.score == pytest.approx(listed.scores[0], abs=1e-6)
    assert score.history + score.popularity + score.rating == pytest.approx(score.score, abs=1e-6)
    assert sum(share for *_, share in score.because) + score.others == pytest.approx(score.history, abs=1e-6)
    assert {movie_id for movie_id, *_ in score.because} == {3, 77_777}


def test_score_of_an_unknown_movie_is_not_explained(ranked_artifact: Artifact) -> None:
    [answer] = Predictor(ranked_artifact).answer([ExplainAsk(11_242, 99)])
    assert isinstance(answer, ExplainAnswer)
    assert answer.score is None
