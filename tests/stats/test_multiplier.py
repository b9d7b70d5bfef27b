import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handan.stats.bootstrap import resample_counts
from handan.stats.multiplier import deming_slope, moments, multipliers, ols_slope, positive_log

# Pearson's (1901) own example, whose line of closest fit he gives as y = 5.784 - 0.5456 x
PEARSON = np.array(
    [
        [0.0, 0.9, 1.8, 2.6, 3.3, 4.4, 5.2, 6.1, 6.5, 7.4],
        [5.9, 5.4, 4.4, 4.6, 3.5, 3.7, 2.8, 2.8, 2.4, 1.5],
    ]
)


def costs(n=40, k=3, seed=0):
    rng = np.random.default_rng(seed)
    x = np.exp(rng.normal(5, 0.6, (n, k)))
    return x, 1.7 * x * np.exp(rng.normal(0, 0.3, (n, k))) + 20


def once(x):
    return np.ones((1, len(x)))


def orthogonal(x, y):
    """The direction of largest spread: another way to the line that Pearson meant."""
    points = np.column_stack([x, y])
    first = np.linalg.svd(points - points.mean(axis=0), full_matrices=False)[2][0]
    return first[1] / first[0]


def test_moments_equal_those_of_the_resample_written_out():
    x, y = costs()
    x[3, 1] = y[7, 2] = np.nan
    counts = resample_counts(40, 30, seed=1)
    found = moments(counts, x, y)
    for row, resample in enumerate(counts):
        for j in range(3):
            pairs = np.repeat(np.column_stack([x[:, j], y[:, j]]), resample, axis=0)
            pairs = pairs[~np.isnan(pairs).any(axis=1)]
            covariance = np.cov(pairs.T, ddof=0)
            assert found.mean_x[row, j] == pytest.approx(pairs[:, 0].mean())
            assert found.mean_y[row, j] == pytest.approx(pairs[:, 1].mean())
            assert found.var_x[row, j] == pytest.approx(covariance[0, 0])
            assert found.var_y[row, j] == pytest.approx(covariance[1, 1])
            assert found.cov[row, j] == pytest.approx(covariance[0, 1])


def test_every_fit_by_another_path():
    x, y = costs()
    found = multipliers(once(x), x, y)
    for j in range(3):
        slope, intercept = np.polyfit(x[:, j], y[:, j], 1)
        assert found["slope"][0, j] == pytest.approx(slope)
        assert found["intercept"][0, j] == pytest.approx(intercept)
        origin = np.linalg.lstsq(x[:, [j]], y[:, j], rcond=None)[0][0]
        assert found["through_origin"][0, j] == pytest.approx(origin)
        assert found["ratio_of_means"][0, j] == pytest.approx(y[:, j].sum() / x[:, j].sum())
        assert found["geometric"][0, j] == pytest.approx(np.exp(np.log(y[:, j] / x[:, j]).mean()))
        logs = np.log(x[:, j]), np.log(y[:, j])
        assert found["loglog_ols"][0, j] == pytest.approx(np.polyfit(*logs, 1)[0])
        assert found["loglog_deming"][0, j] == pytest.approx(orthogonal(*logs))


def test_pearsons_own_example():
    x, y = PEARSON
    found = moments(once(x), x, y)
    slope = deming_slope(found).item()
    assert slope == pytest.approx(-0.5456, abs=5e-5)
    assert (found.mean_y - slope * found.mean_x).item() == pytest.approx(5.784, abs=5e-4)


def test_deming_lies_between_the_two_regressions():
    x, y = PEARSON
    found = moments(once(x), x, y)
    other = found._replace(mean_x=found.mean_y, mean_y=found.mean_x, var_x=found.var_y, var_y=found.var_x)
    # all of the error in y is ordinary least squares; all of it in x the inverse of the other regression
    assert deming_slope(found, 1e9) == pytest.approx(ols_slope(found), rel=1e-6)
    assert deming_slope(found, 1e-9) == pytest.approx(1 / ols_slope(other), rel=1e-6)


@settings(deadline=None)
@given(st.integers(0, 10_000), st.floats(0.01, 100))
def test_turning_the_axes_inverts_the_orthogonal_slope_and_a_multiple_leaves_it(seed, times):
    x, y = costs(n=15, k=1, seed=seed)
    forth, back = (multipliers(once(x), *pair)["loglog_deming"].item() for pair in ((x, y), (y, x)))
    assert forth * back == pytest.approx(1)
    moved = multipliers(once(x), x, times * y)
    assert moved["loglog_deming"].item() == pytest.approx(forth, rel=1e-6)
    for name in ("through_origin", "slope", "ratio_of_means", "geometric"):
        assert moved[name].item() == pytest.approx(times * multipliers(once(x), x, y)[name].item(), rel=1e-6)


@settings(deadline=None)
@given(st.floats(0.05, 50), st.integers(0, 1000))
def test_an_exact_multiple_is_found_by_all(times, seed):
    x, _ = costs(n=12, k=1, seed=seed)
    found = {name: value.item() for name, value in multipliers(once(x), x, times * x).items()}
    for name in ("through_origin", "slope", "ratio_of_means", "geometric"):
        assert found[name] == pytest.approx(times, rel=1e-9)
    assert (found["loglog_ols"], found["loglog_deming"]) == pytest.approx((1, 1))
    assert found["intercept"] == pytest.approx(0, abs=1e-8 * times * x.max())


@pytest.mark.parametrize("value", [33.0, 0.1, 1e9 / 3])
def test_a_constant_reference_has_no_slope_but_a_ratio(value):
    _, y = costs(k=1)
    found = multipliers(resample_counts(40, 5, 0), np.full_like(y, value), y)
    assert np.isnan(found["slope"]).all()
    assert np.isnan(found["loglog_ols"]).all()
    assert np.isfinite(found["ratio_of_means"]).all()
    flat = moments(once(y), y, np.full_like(y, value))
    assert ols_slope(flat).item() == deming_slope(flat).item() == 0


def test_zeros_count_in_means_and_not_in_logs():
    x = np.array([[10.0], [20.0], [40.0]])
    y = np.array([[0.0], [40.0], [80.0]])
    found = multipliers(once(x), x, y)
    assert found["ratio_of_means"].item() == pytest.approx(120 / 70)
    assert found["geometric"].item() == pytest.approx(2)
    assert np.isnan(positive_log([0.0, -1.0, np.nan])).all()


def test_no_item_at_all_gives_nan():
    nothing = np.full((5, 1), np.nan)
    found = multipliers(np.ones((2, 5)), nothing, nothing)
    assert all(np.isnan(values).all() for values in found.values())


def test_shapes_that_do_not_fit_are_an_error():
    with pytest.raises(ValueError, match="per item"):
        moments(np.ones((1, 4)), np.ones(5), np.ones(5))
