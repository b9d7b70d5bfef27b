import pytest
from scipy.stats import ttest_ind_from_stats

from handan.findings.published import CELLS, QUOTED_T, degrees_of_freedom, published_checks


@pytest.fixture(scope="module")
def checks():
    return published_checks().set_index("check")


def test_the_number_of_the_figure_is_reproduced(checks):
    row = checks.loc["DeepSeek-R1 across tasks, mean r over the figure's draws"]
    assert round(row["recomputed"], 3) == 0.942
    assert row["agrees"]


def test_the_highest_r_agrees_and_the_others_are_reported_as_they_are(checks):
    within = checks[checks.index.str.startswith("DeepSeek-R1 within")]
    assert within["recomputed"].round(3).tolist() == [0.894, 0.371, 0.612]
    assert within["agrees"].tolist() == [True, False, False]


def test_the_quoted_t_and_p_fit_an_unpaired_test_over_cells(checks):
    row = checks.iloc[-1]
    # a second implementation: equal groups with a difference of t standard errors
    second = ttest_ind_from_stats(QUOTED_T, CELLS**0.5 / 2**0.5, CELLS, 0, CELLS**0.5 / 2**0.5, CELLS)
    assert row["recomputed"] == pytest.approx(second.pvalue, rel=1e-9)
    assert round(row["recomputed"], 3) == 0.011
    assert row["agrees"]
    assert "62 to 135" in row["note"]


def test_degrees_of_freedom_follow_the_rounding_of_t_and_p():
    assert degrees_of_freedom(2.60, 0.011) == (62, 135)
    low, high = degrees_of_freedom(2.00, 0.050)
    assert low <= 60 <= high  # the textbook's example: t = 2.000, df = 60
    with pytest.raises(ValueError, match="no degrees of freedom"):
        degrees_of_freedom(2.60, 0.5)
