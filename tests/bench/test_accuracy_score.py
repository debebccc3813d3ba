import numpy as np
import pytest

from bench.accuracy_score import Fit, report, score

TRUTH = np.array([1.0, 2.0, 4.0])


def test_score_is_the_mean_over_fits_and_its_error_is_paired_by_row() -> None:
    fits = [Fit(TRUTH + 1, 2.0, 4.0, "1.1"), Fit(TRUTH - 2, 4.0, 6.0, "1.1")]
    one = score("peer", fits, TRUTH, np.array([1.0, 2.0, 3.0]))
    assert (one.mse, one.rmse, one.mae) == pytest.approx((2.5, 1.5, 1.5))
    assert (one.cpu_s, one.wall_s, one.fits, one.version) == (3.0, 5.0, 2, "1.1")
    assert one.minus_ours == pytest.approx(0.5)
    assert one.standard_error == pytest.approx(1 / 3**0.5)


def test_report_compares_all_but_the_first_and_names_a_fit_that_took_too_long() -> None:
    ours = score("ours", [Fit(TRUTH + 1, 1.0, 1.0)], TRUTH, np.ones(3))
    text = report("set", 12_000, 3, [ours, score("slow", [], TRUTH, np.ones(3))], 300)
    assert "**set**: 12,000 training ratings, errors on 3." in text
    assert "| ours | 1.0000 | 1.0000 | 1.0000 |  | 1.0 | 1.0 |" in text
    assert "| slow | not within 300 s |" in text
