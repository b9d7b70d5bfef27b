"""How far apart two distributions of costs are, on the same resamples of items.

Two measures. The Wasserstein-1 distance is the mean distance that the sorted values of one
sample lie from those of the other (Vallender, 1974, doi:10.1137/1118101). It has the unit of
the values and needs no bins. The Kullback-Leibler divergence (1951,
doi:10.1214/aoms/1177729694) needs bins, and it depends on them; the rule here is equal bins over
all values that are compared, and a pseudo-count in every bin, without which it would be infinite
as soon as one bin is empty.

Both are above zero for two samples from one distribution, the more so the fewer items there are.
`swapped` gives the level that chance alone would reach.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ._common import FloatArray

BINS = 10
# Jeffreys' prior for shares.
PSEUDO_COUNT = 0.5


class Wasserstein(NamedTuple):
    """Distances of shape (n_weights, k): as the values are, and after taking off each side's mean."""

    distance: FloatArray
    shape: FloatArray


def wasserstein(counts: ArrayLike, x: ArrayLike, y: ArrayLike) -> Wasserstein:
    """Wasserstein-1 distance of each column of `x` from that of `y`, under each row of counts.

    Parameters
    ----------
    counts : array_like of shape (n_weights, n_items)
        How often each item was drawn: whole numbers, as from
        `handan.stats.bootstrap.resample_counts`.
    x, y : array_like of shape (n_items, k)
        Values per item. An item that misses a value (NaN) on either side is left out of that
        pair of columns.

    Returns
    -------
    Wasserstein
        In the unit of the values; NaN where no item is left. In ``shape`` each side's own mean
        is taken off in every resample, so that only the shapes are compared.

    Raises
    ------
    ValueError
        When shapes do not fit, or a count is not a whole number.
    """
    drawn, left, right = _checked(counts, x, y)
    if len(drawn) == 1 and (drawn == 1).all() and len(left) and not np.isnan(left).any():
        return _of_samples(left, right)
    found = np.empty((2, len(drawn), left.shape[1]))
    for k in range(left.shape[1]):
        found[:, :, k] = _distances(drawn, left[:, k], right[:, k])
    return Wasserstein(*found)


def kl_divergence(
    counts: ArrayLike, x: ArrayLike, y: ArrayLike, edges: ArrayLike, pseudo_count: float = PSEUDO_COUNT
) -> FloatArray:
    """Kullback-Leibler divergence of each column of `x` from that of `y`, in bins.

    Parameters
    ----------
    counts, x, y
        As in `wasserstein`.
    edges : array_like of shape (n_bins + 1,)
        Edges of the bins, increasing; values beyond the ends count in the outer bins.
    pseudo_count : float
        Added to every bin on both sides.

    Returns
    -------
    ndarray of shape (n_weights, k)
        ``sum p_x log(p_x / p_y)`` in nats; NaN where no item is left.

    Raises
    ------
    ValueError
        When shapes do not fit, edges do not increase, or `pseudo_count` is not above zero.
    """
    drawn, left, right = _checked(counts, x, y)
    limits = np.asarray(edges, dtype=np.float64)
    if limits.ndim != 1 or len(limits) < 2 or not (np.diff(limits) > 0).all():
        raise ValueError(f"edges must be at least two increasing numbers, got {limits.tolist()}")
    if not pseudo_count > 0:
        raise ValueError(f"pseudo_count must be above 0 (an empty bin has no logarithm), got {pseudo_count}")
    weights = drawn.astype(np.float64)
    p, q = (_shares(weights, side, limits, pseudo_count) for side in (left, right))
    some = weights @ ~np.isnan(left) > 0
    return np.where(some, (p * np.log(p / q)).sum(axis=0), np.nan)


def equal_bins(values: ArrayLike, n_bins: int = BINS) -> FloatArray:
    """Edges of equally wide bins from the smallest to the largest value.

    Parameters
    ----------
    values : array_like
        Everything that is compared; NaN is left out.
    n_bins : int
        Number of bins.

    Returns
    -------
    ndarray of shape (n_bins + 1,)
        One unit wide in all where the values are the same, or there are none.

    Raises
    ------
    ValueError
        When `n_bins` is below 1.
    """
    if n_bins < 1:
        raise ValueError(f"n_bins must be at least 1, got {n_bins}")
    numbers = np.asarray(values, dtype=np.float64)
    known = numbers[np.isfinite(numbers)]
    low, high = (known.min(), known.max()) if len(known) else (0.0, 0.0)
    if high - low <= 1e-9 * max(abs(low), abs(high), 1.0):
        low, high = low - 0.5, low + 0.5
    return np.linspace(low, high, n_bins + 1)


def swapped(
    distance: Callable[[np.ndarray, FloatArray, FloatArray], FloatArray],
    x: ArrayLike,
    y: ArrayLike,
    rng: np.random.Generator,
    n_swaps: int = 200,
) -> FloatArray:
    """Distances after swapping the two values of randomly chosen items.

    If the two models spent alike, who spent which of the two costs of an item would be arbitrary.
    The distances are what chance alone comes to, given these items.

    Parameters
    ----------
    distance : callable
        Takes counts, `x` and `y`, and returns one row, as `kl_divergence` does.
    x, y : array_like of shape (n_items,)
        Values per item; NaN leaves an item out.
    rng : Generator
        Chooses the items.
    n_swaps : int
        Number of random choices.

    Returns
    -------
    ndarray of shape (n_swaps,)
        NaN where no item has both values.
    """
    left, right = (np.asarray(side, dtype=np.float64) for side in (x, y))
    known = ~(np.isnan(left) | np.isnan(right))
    left, right = left[known, None], right[known, None]
    flip = rng.random((len(left), n_swaps)) < 0.5
    once = np.ones((1, len(left)), dtype=np.int64)
    return distance(once, np.where(flip, right, left), np.where(flip, left, right))[0]


def _checked(counts: ArrayLike, x: ArrayLike, y: ArrayLike) -> tuple[np.ndarray, FloatArray, FloatArray]:
    drawn = np.asarray(counts)
    left, right = (np.asarray(side, dtype=np.float64) for side in (x, y))
    if drawn.ndim != 2 or left.ndim != 2 or left.shape != right.shape or drawn.shape[1] != len(left):
        raise ValueError(
            "counts, x and y need shapes (n_weights, n_items), (n_items, k) and (n_items, k); got "
            f"{drawn.shape}, {left.shape} and {right.shape}"
        )
    whole = drawn.astype(np.int64)
    if (whole != drawn).any() or (whole < 0).any():
        raise ValueError("counts must be whole numbers from 0: how often each item was drawn")
    missing = np.isnan(left) | np.isnan(right)
    return whole, np.where(missing, np.nan, left), np.where(missing, np.nan, right)


def _of_samples(x: FloatArray, y: FloatArray) -> Wasserstein:
    """Take every item once: many columns at a time, as after random swaps."""
    gap = np.sort(x, axis=0) - np.sort(y, axis=0)
    distance, shape = (np.abs(part).mean(axis=0, keepdims=True) for part in (gap, gap - gap.mean(axis=0)))
    return Wasserstein(distance, shape)


def _distances(drawn: np.ndarray, x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Match the two resamples rank by rank: both have as many values, as they have the same items."""
    known = ~np.isnan(x)
    drawn, x, y = drawn[:, known], x[known], y[known]
    size = drawn.sum(axis=1)
    row = np.repeat(np.arange(len(drawn)), size)
    gap = _sorted_values(drawn, x) - _sorted_values(drawn, y)

    def mean(values: FloatArray) -> FloatArray:
        """Average within every resample."""
        return np.bincount(row, values, len(drawn)) / np.where(size > 0, size, np.nan)

    return mean(np.abs(gap)), mean(np.abs(gap - mean(gap)[row]))


def _sorted_values(drawn: np.ndarray, values: FloatArray) -> FloatArray:
    """All values of every resample, one resample after the other, each in increasing order."""
    order = np.argsort(values, kind="stable")
    return np.repeat(np.tile(values[order], len(drawn)), drawn[:, order].ravel())


def _shares(weights: FloatArray, values: FloatArray, edges: FloatArray, pseudo_count: float) -> FloatArray:
    """Shares of shape (n_bins, n_weights, k)."""
    place = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(edges) - 2)
    place = np.where(np.isnan(values), -1, place)
    filled = np.stack([weights @ (place == k) for k in range(len(edges) - 1)]) + pseudo_count
    return filled / filled.sum(axis=0)
