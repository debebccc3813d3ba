import torch

from train.dataset.tensors import Ratings
from train.evaluation.relevance import RankingTask, ranking_task

NUM_USERS, NUM_MOVIES = 4, 6


def ratings(*rows: tuple[int, int, float]) -> Ratings:
    user, movie, rating = zip(*rows, strict=True)
    return Ratings(torch.tensor(user), torch.tensor(movie), torch.tensor(rating))


# User 0 has a mean of 6, user 1 one of 3, user 2 one of 1; user 3 has no training rating.
TRAIN = ratings((0, 0, 8), (0, 1, 4), (1, 0, 3), (2, 5, 1))


def task(*held_out: tuple[int, int, float], most_users: int = 10) -> RankingTask:
    return ranking_task(TRAIN, ratings(*held_out), NUM_USERS, NUM_MOVIES, lowest=1, most_users=most_users)


def pairs(task: RankingTask, measure: str) -> dict[tuple[int, int], float]:
    relevance = getattr(task, measure)
    place, movie = relevance.pair // NUM_MOVIES, relevance.pair % NUM_MOVIES
    keys = zip(relevance.user[place].tolist(), movie.tolist(), strict=True)
    return dict(zip(keys, relevance.gain.tolist(), strict=True))


def test_a_rating_at_or_above_the_users_mean_is_liked() -> None:
    found = task((0, 2, 6), (0, 3, 5.5), (1, 4, 3))
    assert pairs(found, "liked") == {(0, 2): 1, (1, 4): 1}
    assert pairs(found, "graded") == {(0, 2): 6, (0, 3): 5.5, (1, 4): 3}


def test_a_movie_that_the_user_rated_in_training_is_not_recommended_again() -> None:
    assert pairs(task((0, 0, 10), (0, 2, 10)), "graded") == {(0, 2): 10}


def test_the_last_of_several_ratings_of_a_movie_counts() -> None:
    found = task((0, 2, 10), (0, 3, 2), (0, 2, 3), (0, 3, 9))
    assert pairs(found, "liked") == {(0, 3): 1}
    assert pairs(found, "graded") == {(0, 2): 3, (0, 3): 9}


def test_unknown_users_and_movies_and_users_without_a_liked_movie_do_not_count() -> None:
    found = task((NUM_USERS, 2, 10), (3, 2, 10), (0, NUM_MOVIES, 10), (0, 2, 1), (2, 3, 1))
    assert found.user.tolist() == [2]
    assert pairs(found, "graded") == {(2, 3): 1}  # the lowest rating is worth something, for a user who liked it


def test_no_more_users_are_drawn_than_asked_for() -> None:
    some = task((0, 2, 10), (1, 2, 10), (2, 2, 10), most_users=2)
    assert len(some.user) == 2
    assert set(pairs(some, "graded")) <= {(0, 2), (1, 2), (2, 2)}
    assert len(some.liked.pair) == 2


def test_ideal_gains_come_highest_first_and_are_padded() -> None:
    graded = task((0, 2, 7), (0, 3, 9), (0, 4, 8), (1, 2, 10)).graded
    assert graded.ideal(2).tolist() == [[9, 8], [10, 0]]
    assert graded.count().tolist() == [3, 1]
