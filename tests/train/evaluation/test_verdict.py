"""A network that is no better than the biases is said to be so, and no other."""

import pytest

from train.evaluation.verdict import doubt


def group(difference: float, error: float) -> dict[str, dict[str, float]]:
    return {"network": {"rows": 9}, "shrunken_bias": {"network_minus_this": difference, "standard_error": error}}


@pytest.mark.parametrize(
    ("known", "everything", "told"),
    [
        ((-0.10, 0.02), (-0.10, 0.02), ""),
        (
            (-0.03, 0.02),
            (-0.10, 0.02),
            "This network is not better than the shrunken biases on held-out ratings of known users and movies "
            "(-0.0300 ± 0.0200 in squared error).",
        ),
        (
            (-0.10, 0.02),
            (0.10, 0.02),
            "This network is worse than the shrunken biases on all held-out ratings (+0.1000 ± 0.0200 in squared "
            "error).",
        ),
        (
            (0.01, 0.02),
            (0.10, 0.02),
            "This network is worse than the shrunken biases on all held-out ratings (+0.1000 ± 0.0200 in squared "
            "error), and not better than the shrunken biases on held-out ratings of known users and movies "
            "(+0.0100 ± 0.0200 in squared error).",
        ),
    ],
)
def test_the_line_names_the_rows_on_which_the_network_is_no_better(
    known: tuple[float, float], everything: tuple[float, float], told: str
) -> None:
    assert doubt({"known": group(*known), "all": group(*everything)}) == told


def test_nothing_is_said_where_nothing_was_measured() -> None:
    assert doubt({}) == ""
