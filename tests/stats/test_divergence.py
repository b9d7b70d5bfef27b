import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from handan.stats.bootstrap import resample_counts
from handan.stats.divergence import equal_bins, kl_divergence, swapped, wasserstein

RNG = np.random.default_rng(0)
COUNTS = resample_counts(40, 30, 1)
X, Y = RNG.normal(5, 1, (40, 2)), RNG.normal(5.5, 0.7, (40, 2))
values = arrays(np.float64, st.integers(1, 12), elements=st.floats(-50, 50, width=32))


def once(n):
    return np.ones((1, n), dtype=int)


def test_every_resample_agrees_with_scipy():
    found = wasserstein(COUNTS, X, Y)
    for b, counts in enumerate(COUNTS):
        for k in range(2):
            x, y = np.repeat(X[:, k], counts), np.repeat(Y[:, k], counts)
            assert found.distance[b, k] == pytest.approx(stats.wasserstein_distance(x, y))
            centred = stats.wasserstein_distance(x - x.mean(), y - y.mean())
            assert found.shape[b, k] == pytest.approx(centred)


def test_an_item_that_misses_a_value_leaves_its_pair_only():
    x = X.copy()
    x[[3, 17], 0] = np.nan
    found = wasserstein(COUNTS, x, Y).distance
    kept = np.delete(np.arange(40), [3, 17])
    assert found[:, 0] == pytest.approx(wasserstein(COUNTS[:, kept], X[kept, :1], Y[kept, :1]).distance[:, 0])
    assert found[:, 1] == pytest.approx(wasserstein(COUNTS, X, Y).distance[:, 1])
    nothing = wasserstein(COUNTS, np.full((40, 1), np.nan), Y[:, :1])
    assert np.isnan(nothing.distance).all()
    assert np.isnan(nothing.shape).all()


@given(values, values, st.floats(-20, 20))
def test_the_distance_is_a_distance(x, y, shift):
    n = min(len(x), len(y))
    x, y = x[:n, None].astype(float), y[:n, None].astype(float)
    there, back = wasserstein(once(n), x, y), wasserstein(once(n), y, x)
    assert there.distance[0, 0] == pytest.approx(back.distance[0, 0], abs=1e-9)
    assert wasserstein(once(n), x, x).distance[0, 0] == pytest.approx(0, abs=1e-9)
    moved = wasserstein(once(n), x + shift, y)
    assert moved.shape[0, 0] == pytest.approx(there.shape[0, 0], abs=1e-6)
    assert abs(moved.distance[0, 0] - there.distance[0, 0]) <= abs(shift) + 1e-6
    assert there.distance[0, 0] >= abs(x.mean() - y.mean()) - 1e-6


def test_the_divergence_by_another_path():
    edges = equal_bins(np.concatenate([X, Y]), 8)
    found = kl_divergence(COUNTS, X, Y, edges)
    for b, counts in enumerate(COUNTS):
        p, q = (np.histogram(side[:, 1], bins=edges, weights=counts)[0] + 0.5 for side in (X, Y))
        assert found[b, 1] == pytest.approx(stats.entropy(p, q))


@given(values, st.integers(1, 15), st.floats(0.05, 3))
def test_the_divergence_is_never_negative(x, n_bins, pseudo_count):
    x = x[:, None].astype(float)
    y = x[::-1] * 0.5 + 1
    edges = equal_bins(np.concatenate([x, y]), n_bins)
    assert len(edges) == n_bins + 1
    found = kl_divergence(once(len(x)), x, y, edges, pseudo_count)[0, 0]
    assert np.isfinite(found)
    assert found >= -1e-12
    assert kl_divergence(once(len(x)), x, x, edges, pseudo_count)[0, 0] == pytest.approx(0, abs=1e-12)


def test_values_beyond_the_bins_count_in_the_outer_ones():
    inside = kl_divergence(
        once(3), np.array([[0.5], [1.5], [1.5]]), np.array([[0.5], [0.5], [1.5]]), [0, 1, 2]
    )
    beyond = kl_divergence(once(3), np.array([[-9], [9], [2]]), np.array([[0], [-1], [7]]), [0, 1, 2])
    assert inside == pytest.approx(beyond)


def test_bins_of_equal_values_and_of_none():
    assert equal_bins([3.0, 3.0], 2) == pytest.approx([2.5, 3.0, 3.5])
    assert equal_bins([np.nan], 1) == pytest.approx([-0.5, 0.5])


def test_swapping_gives_the_level_of_chance():
    def distance(counts, x, y):
        return wasserstein(counts, x, y).distance

    x, y = RNG.normal(size=(2, 60))
    drawn = swapped(distance, x, y, np.random.default_rng(0), n_swaps=300)
    assert drawn.shape == (300,)
    assert (
        np.quantile(drawn, 0.01)
        < distance(once(60), x[:, None], y[:, None])[0, 0]
        < np.quantile(drawn, 0.995)
    )
    assert (drawn < distance(once(60), x[:, None], y[:, None] + 1)[0, 0]).all()
    # with one item a swap changes nothing
    assert swapped(distance, [1.0], [3.0], np.random.default_rng(0), 20) == pytest.approx(2)
    assert np.isnan(swapped(distance, [np.nan], [3.0], np.random.default_rng(0), 20)).all()


@pytest.mark.parametrize(
    ("counts", "x", "y", "reason"),
    [
        (np.ones((1, 3)), np.ones((2, 1)), np.ones((2, 1)), "shapes"),
        (np.ones((1, 2)), np.ones((2, 1)), np.ones((2, 2)), "shapes"),
        (np.full((1, 2), 0.5), np.ones((2, 1)), np.ones((2, 1)), "whole numbers"),
        (np.full((1, 2), -1), np.ones((2, 1)), np.ones((2, 1)), "whole numbers"),
    ],
)
def test_what_cannot_be_measured_is_named(counts, x, y, reason):
    with pytest.raises(ValueError, match=reason):
        wasserstein(counts, x, y)


def test_bad_bins_are_named():
    x = np.ones((2, 1))
    with pytest.raises(ValueError, match="increasing"):
        kl_divergence(once(2), x, x, [1, 1])
    with pytest.raises(ValueError, match="pseudo_count"):
        kl_divergence(once(2), x, x, [0, 1], 0)
    with pytest.raises(ValueError, match="n_bins"):
        equal_bins([1, 2], 0)
