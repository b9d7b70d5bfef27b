import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from handan.stats.bootstrap import (
    bootstrap_correlations,
    resample_chunks,
    resample_counts,
    weighted_correlations,
)
from handan.stats.percentile import percentile_interval


def items(n=40, k=3, seed=0):
    rng = np.random.default_rng(seed)
    people = rng.normal(1.0, 0.5, n)
    return 0.6 * people[:, None] + rng.normal(6.0, 1.0, (n, k)), people


def repeated(counts, values):
    """The resample written out, item by item: what the counts stand for."""
    return np.repeat(values, counts, axis=0)


@given(st.integers(1, 60), st.integers(1, 40), st.integers(0, 2**31))
def test_every_resample_has_as_many_items_as_the_study(n_items, n_boot, seed):
    counts = resample_counts(n_items, n_boot, seed)
    assert counts.shape == (n_boot, n_items)
    assert (counts.sum(axis=1) == n_items).all()
    assert (counts >= 0).all()


def test_counts_follow_the_multinomial():
    n, n_boot = 10, 40_000
    counts = resample_counts(n, n_boot, seed=1)
    covariance = np.cov(counts, rowvar=False)
    assert counts.mean(axis=0) == pytest.approx(np.ones(n), abs=0.03)
    assert np.diag(covariance) == pytest.approx(np.full(n, 1 - 1 / n), abs=0.04)
    off_diagonal = covariance[~np.eye(n, dtype=bool)]
    assert off_diagonal == pytest.approx(np.full(off_diagonal.size, -1 / n), abs=0.03)


@given(st.integers(1, 30), st.integers(1, 50), st.integers(1, 60), st.integers(0, 1000))
def test_chunks_are_the_same_resamples(n_items, n_boot, chunk, seed):
    whole = resample_counts(n_items, n_boot, seed)
    parts = list(resample_chunks(n_items, n_boot, seed, chunk))
    assert max(map(len, parts)) <= chunk
    assert np.array_equal(np.vstack(parts), whole)


def test_a_generator_continues_its_stream():
    rng = np.random.default_rng(7)
    parts = [resample_counts(12, 5, rng), resample_counts(12, 5, rng)]
    assert np.array_equal(np.vstack(parts), resample_counts(12, 10, 7))


def test_weighted_correlations_equal_the_written_out_resample():
    x, y = items()
    counts = resample_counts(len(y), 50, seed=2)
    found = weighted_correlations(counts, x, y)
    for row, resample in zip(found, counts, strict=True):
        expected = [stats.pearsonr(repeated(resample, x[:, j]), repeated(resample, y))[0] for j in range(3)]
        assert row == pytest.approx(expected, abs=1e-12)


def test_missing_values_leave_out_one_column_only():
    x, y = items(n=30)
    x[[3, 8, 20], 1] = np.nan
    counts = resample_counts(30, 20, seed=3)
    found = weighted_correlations(counts, x, y)
    keep = ~np.isnan(x[:, 1])
    assert found[:, 1] == pytest.approx(weighted_correlations(counts[:, keep], x[keep, 1], y[keep])[:, 0])
    assert found[:, [0, 2]] == pytest.approx(weighted_correlations(counts, x[:, [0, 2]], y))


def test_column_pairs_go_together():
    x, y = items()
    other = np.column_stack([y, -y, y**2])
    counts = resample_counts(len(y), 10, seed=4)
    found = weighted_correlations(counts, x, other)
    for j in range(3):
        assert found[:, j] == pytest.approx(weighted_correlations(counts, x[:, j], other[:, j])[:, 0])


@given(
    st.floats(-1e6, 1e6),
    st.floats(1e-6, 1e6),
    st.integers(0, 100),
)
def test_shift_and_scale_do_not_matter(shift, scale, seed):
    x, y = items(n=15, k=1, seed=seed)
    counts = resample_counts(15, 10, seed)
    # A large shift leaves fewer digits for the values themselves.
    digits = 1e-9 * max(1.0, abs(shift) / scale)
    moved = weighted_correlations(counts, x * scale + shift, y)
    assert moved == pytest.approx(weighted_correlations(counts, x, y), abs=max(1e-9, digits), nan_ok=True)


@given(st.integers(3, 20), st.integers(0, 10_000))
def test_correlations_stay_between_minus_one_and_one(n, seed):
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 3, (n, 2)).astype(float)
    draws = bootstrap_correlations(x, rng.integers(0, 3, n), n_boot=30, seed=seed)
    defined = draws[~np.isnan(draws)]
    assert (np.abs(defined) <= 1).all()


@pytest.mark.parametrize("value", [0.1, 1 / 3, 1e-8, 123456.789])
def test_a_resample_of_one_item_has_no_correlation(value):
    x = np.array([value, 2.0, 3.0, 5.0])
    counts = np.array([[4, 0, 0, 0], [3, 1, 0, 0], [1, 1, 1, 1]])
    found = weighted_correlations(counts, x, x)[:, 0]
    assert np.isnan(found[0])
    assert found[1:] == pytest.approx([1, 1])


def test_a_constant_column_and_a_short_one_give_nan():
    x, y = items(n=20)
    x[:, 0] = 0.1
    x[2:, 1] = np.nan
    draws = bootstrap_correlations(x, y, n_boot=10)
    assert np.isnan(draws[:, :2]).all()
    assert not np.isnan(draws[:, 2]).any()


def test_draws_do_not_depend_on_the_chunk():
    x, y = items()
    whole = bootstrap_correlations(x, y, n_boot=200, seed=5, chunk=200)
    assert bootstrap_correlations(x, y, n_boot=200, seed=5, chunk=7) == pytest.approx(whole, abs=1e-12)
    assert not np.allclose(bootstrap_correlations(x, y, n_boot=200, seed=6), whole)


def test_interval_agrees_with_scipy_bootstrap():
    x, y = items(n=60, k=1, seed=8)
    ours = percentile_interval(bootstrap_correlations(x, y, n_boot=20_000, seed=1)[:, 0], 0.9)
    theirs = stats.bootstrap(
        (x[:, 0], y),
        lambda a, b: stats.pearsonr(a, b)[0],
        paired=True,
        vectorized=False,
        method="percentile",
        confidence_level=0.9,
        n_resamples=4000,
        random_state=np.random.default_rng(2),
    ).confidence_interval
    assert ours.low == pytest.approx(theirs.low, abs=0.02)
    assert ours.high == pytest.approx(theirs.high, abs=0.02)


def test_one_resample_serves_all_columns():
    # Two models with almost the same token counts: their difference varies little.
    x, y = items(n=50, k=1, seed=9)
    pair = np.column_stack([x, x + 1e-3 * np.random.default_rng(0).normal(size=x.shape)])
    draws = bootstrap_correlations(pair, y, n_boot=500)
    assert (draws[:, 0] - draws[:, 1]).std() < 0.01 * draws[:, 0].std()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: resample_counts(0, 5, 0), "n_items=0"),
        (lambda: bootstrap_correlations([1, 2, 3], [1, 2, 3], n_boot=0), "n_boot=0"),
        (lambda: bootstrap_correlations([1, 2, 3], [1, 2, 3], chunk=0), "chunk=0"),
        (lambda: bootstrap_correlations([1, 2, 3], [1, 2]), "3 and 2 rows"),
        (lambda: bootstrap_correlations(np.ones((4, 2)), np.ones((4, 3))), "2 columns and y has 3"),
        (lambda: bootstrap_correlations(np.ones((4, 2, 2)), np.ones(4)), "x must have shape"),
        (lambda: bootstrap_correlations([1, 2, -np.inf], [1, 2, 3]), "x has 1 infinite .* row 2, column 0"),
        (lambda: weighted_correlations(np.ones((2, 3)), [1, 2], [1, 2]), r"\(n_boot, 2\)"),
        (lambda: percentile_interval([], 0.9), r"got \(0,\)"),
        (lambda: percentile_interval([1.0], 95), "0.95 for 95 %"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
