import pytest
import torch

from train.factors.levels import levels_of_counts


def test_distinct_ratings_are_levels_with_standard_normal_scores() -> None:
    rating = torch.tensor([1.0] * 1 + [5.0] * 2 + [10.0] * 7)
    levels = levels_of_counts(*torch.unique(rating, return_counts=True), 16)
    assert levels.value.tolist() == [1, 5, 10]
    assert levels.share.tolist() == pytest.approx([0.1, 0.2, 0.7])
    assert levels.of(torch.tensor([-3.0, 1.0, 2.9, 3.1, 7.4, 7.6, 99.0])).tolist() == [0, 0, 0, 1, 1, 2, 2]
    score = levels.score[levels.of(rating)]
    assert float(score.mean()) == pytest.approx(0, abs=1e-6)
    assert float(score.square().mean()) == pytest.approx(1, abs=1e-5)
    assert bool((levels.score.diff() > 0).all())


@pytest.mark.parametrize("values", [torch.rand(5000), torch.rand(5000).clamp(max=0.2), torch.rand(5000).clamp(min=0.9)])
def test_many_distinct_ratings_are_binned_into_levels_that_all_occur(values: torch.Tensor) -> None:
    levels = levels_of_counts(*torch.unique(values, return_counts=True), 8)
    counts = torch.bincount(levels.of(values), minlength=len(levels))
    assert len(levels) <= 8
    assert int(counts.min()) > 0
    assert bool(((levels.value >= values.min() - 1e-6) & (levels.value <= values.max() + 1e-6)).all())


def test_one_rating_only_is_one_level() -> None:
    levels = levels_of_counts(torch.tensor([3.0]), torch.tensor([5]), 16)
    assert (levels.value.tolist(), levels.share.tolist(), levels.score.tolist()) == ([3.0], [1.0], [0.0])
