"""A correlation, and what becomes of it when each item in turn is left out.

The spread of the correlations that lack one item gives a standard error without a formula
for each kind of correlation (the jackknife: Quenouille, 1956; Tukey, 1958). The same recipe
serves Pearson and Spearman, raw and partial, and any average or difference of them, because
the items that are left out are the same for all.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._common import FloatArray
from .correlation import partial_correlation

# A variable that differs by less than this share of its size is constant but for rounding.
_ROUNDING = 1e-12


class LeftOut(NamedTuple):
    """A correlation with all items, and without each of them."""

    r: float
    without: FloatArray


def leave_one_out(x: ArrayLike, y: ArrayLike, z: ArrayLike | None = None, *, ranks: bool = False) -> LeftOut:
    """Correlate x and y, given z if there is one, with all items and without each item.

    Parameters
    ----------
    x, y : array_like of shape (n,)
        Values per item, none missing.
    z : array_like of shape (n,), optional
        Held constant: the result is the partial correlation.
    ranks : bool
        Correlate midranks (Spearman, 1904) in place of values.

    Returns
    -------
    LeftOut
        ``r``, and ``without`` of shape (n,). For values the correlations without an item are
        exact. For ranks they are correct to first order: the ranks of the other items move
        with the item, but not by more than in a large sample. NaN below 4 items (5 with z)
        and where a variable does not vary.

    Raises
    ------
    ValueError
        When the variables differ in length or a value is missing or infinite.
    """
    columns = _columns(x, y, z)
    n, k = columns.shape
    if n < k + 2 or np.any(np.ptp(columns, axis=0) <= _ROUNDING * np.abs(columns).max(axis=0)):
        return LeftOut(np.nan, np.full(n, np.nan))
    moments, without = _of_ranks(columns) if ranks else _of_values(columns)
    return LeftOut(float(_correlate(moments)), _correlate(without))


def _columns(x: ArrayLike, y: ArrayLike, z: ArrayLike | None) -> FloatArray:
    given = [np.asarray(values, dtype=np.float64).ravel() for values in (x, y, z) if values is not None]
    if len({len(values) for values in given}) > 1:
        raise ValueError(f"x, y and z must have one value per item, got {[len(v) for v in given]} values")
    columns = np.column_stack(given)
    if not np.isfinite(columns).all():
        bad = int(np.flatnonzero(~np.isfinite(columns).all(axis=1))[0])
        raise ValueError(f"item {bad} has a missing or infinite value; leave such items out first")
    return columns


def _of_values(columns: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Covariances of shape (k, k), and those without each item, of shape (n, k, k)."""
    n = len(columns)
    centred = columns - columns.mean(axis=0)
    centred /= np.abs(centred).max(axis=0)
    products = centred[:, :, None] * centred[:, None, :]
    moments = products.mean(axis=0)
    return moments, moments - (n / (n - 1) * products - moments) / (n - 1)


def _of_ranks(columns: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Do the same for midranks: leaving out an item also moves the ranks of those above it."""
    n = len(columns)
    groups = [np.unique(column, return_inverse=True)[1] for column in columns.T]
    centred = np.column_stack([_midranks(group) for group in groups])
    products = centred[:, :, None] * centred[:, None, :]
    moments = products.mean(axis=0)
    moved = np.stack([_above(group, centred) for group in groups], axis=1)
    influence = products + moved + np.swapaxes(moved, 1, 2) - 3 * moments
    # With this factor the spread over items is that of the exact ranks, as it is for values.
    return moments, moments - n / (n - 1) * influence / (n - 1)


def _midranks(group: NDArray[np.intp]) -> FloatArray:
    """Ranks between -1/2 and 1/2 from the order of the values; equal ones share the middle of theirs."""
    sizes = np.bincount(group)
    return ((np.cumsum(sizes) - sizes / 2) / len(group) - 0.5)[group]


def _above(group: NDArray[np.intp], weights: FloatArray) -> FloatArray:
    """Mean weight of the items above each item, those beside it counted half; shape (n, k)."""
    totals = np.column_stack([np.bincount(group, column) for column in weights.T])
    above = totals.sum(axis=0) - np.cumsum(totals, axis=0) + totals / 2
    return above[group] / len(group)


def _correlate(moments: FloatArray) -> FloatArray:
    variance = np.diagonal(moments, axis1=-2, axis2=-1)
    deviation = np.sqrt(np.where(variance > _ROUNDING, variance, np.nan))
    scale = deviation[..., :, None] * deviation[..., None, :]
    r = np.clip(moments / scale, -1.0, 1.0)
    if r.shape[-1] == 2:
        return np.asarray(r[..., 0, 1])
    return partial_correlation(r[..., 0, 1], r[..., 0, 2], r[..., 1, 2])
