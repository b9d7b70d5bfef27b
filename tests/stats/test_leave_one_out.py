import numpy as np
import pingouin
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from handan.stats.leave_one_out import leave_one_out


def items(n, seed=0, digits=1):
    """Three variables with ties and a heavy tail."""
    rng = np.random.default_rng(seed)
    y = rng.normal(size=n)
    x = 0.6 * y + 0.8 * rng.standard_t(3, size=n)
    return [np.round(values, digits) for values in (x, y, 0.4 * y + rng.normal(size=n))]


def by_scipy(x, y, z, ranks):
    if z is None:
        return (stats.spearmanr if ranks else stats.pearsonr)(x, y).statistic
    frame = dict(x=x, y=y, z=z)
    method = "spearman" if ranks else "pearson"
    return pingouin.partial_corr(pd_frame(frame), "x", "y", "z", method=method)["r"].iloc[0]


def pd_frame(columns):
    import pandas as pd

    return pd.DataFrame(columns)


@pytest.mark.parametrize("ranks", [False, True])
@pytest.mark.parametrize("partial", [False, True])
def test_r_is_that_of_scipy_and_pingouin(ranks, partial):
    x, y, z = items(60)
    z = z if partial else None
    assert leave_one_out(x, y, z, ranks=ranks).r == pytest.approx(by_scipy(x, y, z, ranks), abs=1e-12)


@pytest.mark.parametrize("partial", [False, True])
def test_without_an_item_values_are_correlated_again(partial):
    x, y, z = items(25, digits=8)
    z = z if partial else None
    found = leave_one_out(x, y, z)
    again = [
        by_scipy(*(np.delete(v, k) if v is not None else None for v in (x, y, z)), False) for k in range(25)
    ]
    assert found.without == pytest.approx(np.array(again), abs=1e-10)


@pytest.mark.parametrize(("n", "off", "spread"), [(20, 0.004, 0.01), (60, 4e-4, 0.004), (200, 3e-5, 0.002)])
@pytest.mark.parametrize("partial", [False, True])
def test_without_an_item_ranks_are_right_to_first_order(n, off, spread, partial):
    x, y, z = items(n, seed=3)
    z = z if partial else None
    found = leave_one_out(x, y, z, ranks=True)
    again = [
        by_scipy(*(np.delete(v, k) if v is not None else None for v in (x, y, z)), True) for k in range(n)
    ]
    assert np.abs(found.without - again).max() < off
    assert np.std(found.without) == pytest.approx(np.std(again), rel=spread)


@settings(deadline=None, max_examples=40)
@given(st.integers(5, 40), st.integers(0, 10_000), st.floats(0.01, 1000), st.floats(-1e4, 1e4), st.booleans())
def test_units_do_not_matter(n, seed, scale, shift, ranks):
    x, y, z = items(n, seed, digits=6)
    one, other = leave_one_out(x, y, z, ranks=ranks), leave_one_out(x * scale + shift, y, z, ranks=ranks)
    # Five items can have partial ranks in a row: then there is no correlation, in any unit.
    assert other.r == pytest.approx(one.r, abs=1e-7, nan_ok=True)
    assert other.without == pytest.approx(one.without, abs=1e-6, nan_ok=True)


@settings(deadline=None, max_examples=30)
@given(st.integers(5, 40), st.integers(0, 10_000))
def test_ranks_do_not_see_the_scale(n, seed):
    x, y, _ = items(n, seed)
    one, other = leave_one_out(x, y, ranks=True), leave_one_out(np.exp(x), y, ranks=True)
    assert (other.r, other.without.tolist()) == (one.r, one.without.tolist())


def test_what_has_no_correlation_is_nan():
    x, y, z = items(12)
    few = leave_one_out(x[:3], y[:3])
    assert np.isnan(few.r)
    assert np.isnan(few.without).all()
    assert few.without.shape == (3,)
    assert np.isnan(leave_one_out(x[:4], y[:4], z[:4]).r)
    assert np.isnan(leave_one_out(np.full(12, 0.1), y).r)
    # Equal but for rounding: the mean of equal logs.
    assert np.isnan(leave_one_out(0.1 + np.array([0, 1e-17] * 6), y).r)
    assert leave_one_out([], []).without.shape == (0,)


def test_an_r_that_hangs_on_one_item_has_none_without_it():
    _, y, _ = items(12)
    x = np.zeros(12)
    x[4] = 1.0
    found = leave_one_out(x, y)
    assert np.isfinite(found.r)
    assert np.flatnonzero(np.isnan(found.without)).tolist() == [4]


def test_bad_input_is_named():
    with pytest.raises(ValueError, match=r"\[3, 2\]"):
        leave_one_out([1, 2, 3], [1, 2])
    with pytest.raises(ValueError, match="item 1"):
        leave_one_out([1, np.nan, 3, 4, 5], [1, 2, 3, 4, 5])
