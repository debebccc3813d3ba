"""Which users are alike."""

import torch

from train.factors.alike import alike_users


def test_users_with_the_same_single_rating_or_none_are_alike() -> None:
    user = torch.tensor([0, 1, 2, 3, 3, 6, 7, 8, 8])
    movie = torch.tensor([5, 5, 5, 5, 4, 4, 5, 5, 4])
    rating = torch.tensor([7.0, 7.0, 8.0, 7.0, 2.0, 7.0, 7.0, 7.0, 2.0])
    first, group, copies = alike_users(user, movie, rating, 10)
    # 0, 1 and 7 gave the same single rating; 4, 5 and 9 gave none; 3 and 8 gave two, and are not compared.
    assert first.tolist() == [0, 2, 3, 4, 6, 8]
    assert group.tolist() == [0, 0, 1, 2, 3, 3, 4, 0, 5, 3]
    assert copies.tolist() == [3, 1, 1, 3, 1, 1]


def test_no_ratings_make_one_group() -> None:
    none = torch.empty(0, dtype=torch.int64)
    first, group, copies = alike_users(none, none, torch.empty(0), 4)
    assert (first.tolist(), group.tolist(), copies.tolist()) == ([0], [0] * 4, [4])
