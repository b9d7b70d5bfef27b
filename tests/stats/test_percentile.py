import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from handan.stats.bootstrap import resample_counts
from handan.stats.percentile import end_errors, percentile_interval, tail


def test_percentile_interval_leaves_out_and_counts_nan():
    draws = np.array([[1.0, np.nan, np.nan], [2.0, 5.0, np.nan], [3.0, 6.0, np.nan]])
    found = percentile_interval(draws, 0.5)
    assert found.n_draws == 3
    assert found.n_missing.tolist() == [0, 1, 3]
    assert found.low == pytest.approx([1.5, 5.25, np.nan], nan_ok=True)
    assert found.high == pytest.approx([2.5, 5.75, np.nan], nan_ok=True)
    assert percentile_interval([1.0, 2.0, np.nan]).n_missing == 1


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=50), st.floats(0.01, 0.98))
def test_interval_widens_with_confidence(draws, confidence):
    narrow, wide = percentile_interval(draws, confidence), percentile_interval(draws, confidence + 0.01)
    assert wide.low <= narrow.low <= narrow.high <= wide.high


def test_the_tail_makes_a_normal_quantile_one_of_student():
    # Hesterberg (2015): z of the tail, times the bootstrap's standard deviation, is t times s.
    n = np.array([5, 10, 20, 40, 1_000])
    z = -stats.norm.ppf(tail(n))
    assert z * np.sqrt((n - 1) / n) == pytest.approx(stats.t.ppf(0.975, n - 1))
    assert tail() == pytest.approx(0.025)
    assert tail(10**9) == pytest.approx(0.025, abs=1e-6)
    # three tasks of ten items each have 27 degrees of freedom
    assert -stats.norm.ppf(tail(30, 3)) * np.sqrt(27 / 30) == pytest.approx(stats.t.ppf(0.975, 27))
    assert tail([1, 0, 3], [1, 1, 3]).tolist() == [0, 0, 0]


def test_a_missing_number_of_items_is_named():
    with pytest.raises(ValueError, match=r"n_items is missing \(NaN\) in 1 of 2 places"):
        tail([20, np.nan])


def test_every_column_has_the_tail_of_its_own_items():
    draws = np.random.default_rng(0).normal(size=(2_000, 3))
    together = percentile_interval(draws, n_items=[20, 500, 20])
    for k, n in enumerate((20, 500, 20)):
        alone = percentile_interval(draws[:, k], n_items=n)
        assert (together.low[k], together.high[k]) == (alone.low, alone.high)
    plain = percentile_interval(draws)
    assert (together.low < plain.low).all()
    assert (together.high > plain.high).all()
    few = percentile_interval(draws[:, 0], n_items=1)
    assert (few.low, few.high) == (draws[:, 0].min(), draws[:, 0].max())


def test_expanded_for_few_items_an_interval_of_a_mean_covers_it_and_a_plain_one_does_not():
    n, n_studies = 10, 4_000
    rng = np.random.default_rng(0)
    values = rng.normal(size=(n, n_studies))
    draws = resample_counts(n, 1_000, rng) @ values / n
    covered = {}
    for name, size in (("plain", None), ("expanded", n)):
        ends = percentile_interval(draws, n_items=size)
        covered[name] = ((ends.low <= 0) & (ends.high >= 0)).mean()
    assert covered["expanded"] == pytest.approx(0.95, abs=0.012)
    assert covered["plain"] < 0.92


def test_the_errors_of_the_ends_are_those_of_other_draws():
    rng = np.random.default_rng(0)
    ends = [percentile_interval(rng.normal(size=2_000), n_items=15) for _ in range(400)]
    low, high = end_errors(rng.normal(size=20_000), n_items=15)
    scale = np.sqrt(20_000 / 2_000)
    assert low * scale == pytest.approx(2 * np.std([one.low for one in ends]), rel=0.25)
    assert high * scale == pytest.approx(2 * np.std([one.high for one in ends]), rel=0.25)
    assert end_errors(np.full(10, np.nan)) == (0.0, 0.0)
