"""How many times as much: ways to fit one cost by a multiple of another, item by item.

All of them come from the weighted means and (co)variances of two columns, so that one
matrix product gives every fit of every pair of models on every resample of items.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ._common import FloatArray


class Moments(NamedTuple):
    """Weighted means and (co)variances of two columns, each of shape (n_weights, k).

    A variance that is only rounding is 0. All are NaN where no weight is left.
    """

    mean_x: FloatArray
    mean_y: FloatArray
    var_x: FloatArray
    var_y: FloatArray
    cov: FloatArray


def moments(counts: ArrayLike, x: ArrayLike, y: ArrayLike) -> Moments:
    """Give the moments of each column of `x` with that of `y`, under each row of counts.

    Parameters
    ----------
    counts : array_like of shape (n_weights, n_items)
        Non-negative weights, usually from `handan.stats.bootstrap.resample_counts`.
    x, y : array_like of shape (n_items,) or (n_items, k)
        Values per item. A single column goes with every column of the other; an item that
        misses a value (NaN) on either side is left out of that pair of columns.

    Returns
    -------
    Moments
        Divided by the sum of the weights, not by one less.

    Raises
    ------
    ValueError
        When shapes do not fit.
    """
    weights = np.asarray(counts, dtype=np.float64)
    left, right = (_columns(values) for values in (x, y))
    if weights.ndim != 2 or not weights.shape[1] == len(left) == len(right):
        raise ValueError(
            f"counts, x and y need one column, row and row per item; got {weights.shape}, {left.shape} "
            f"and {right.shape}"
        )
    left, right = np.broadcast_arrays(left, right)
    known = ~(np.isnan(left) | np.isnan(right))
    (left, middle_x), (right, middle_y) = _centred(left, known), _centred(right, known)
    stacked = np.hstack([known, left, right, left**2, right**2, left * right])
    total, *sums = np.split(weights @ stacked, 6, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        mx, my, xx, yy, xy = (part / total for part in sums)
    return Moments(mx + middle_x, my + middle_y, _variance(xx, mx), _variance(yy, my), xy - mx * my)


def ols_slope(found: Moments) -> FloatArray:
    """Least-squares slope of y on x; NaN where x does not vary."""
    return _ratio(found.cov, found.var_x)


def deming_slope(found: Moments, error_ratio: float = 1.0) -> FloatArray:
    """Slope of the line when both variables have errors (Deming, 1943; Linnet, 1993).

    Parameters
    ----------
    found : Moments
        Of x and y.
    error_ratio : float
        Variance of y's errors over that of x's. At 1, the default, the line minimises the
        perpendicular distances (Pearson, 1901), which for two costs on a log scale says that
        both are measured equally well.

    Returns
    -------
    ndarray
        ``(d + sqrt(d² + 4 δ s_xy²)) / (2 s_xy)`` with ``d = s_yy - δ s_xx``; NaN where the line
        is vertical or has no direction.

    References
    ----------
    Pearson (1901), doi:10.1080/14786440109462720. Linnet (1993),
    doi:10.1093/clinchem/39.3.424.
    """
    d = found.var_y - error_ratio * found.var_x
    root = np.sqrt(d**2 + 4 * error_ratio * found.cov**2)
    # For a flat line the usual form loses all digits; this one equals it.
    steep = _ratio(d + root, 2 * found.cov)
    return np.where(d > 0, steep, _ratio(2 * error_ratio * found.cov, root - d))


def multipliers(counts: ArrayLike, reference: ArrayLike, student: ArrayLike) -> dict[str, FloatArray]:
    """Fit the student's costs by a multiple of the reference's, in six ways.

    Parameters
    ----------
    counts : array_like of shape (n_weights, n_items)
        As in `moments`; a row of ones gives the estimates themselves.
    reference, student : array_like of shape (n_items, k)
        Item mean costs of k pairs of models, not negative.

    Returns
    -------
    dict of str to ndarray of shape (n_weights, k)
        ``through_origin`` (least squares, so that dear items decide), ``slope`` with
        ``intercept`` (tokens), ``ratio_of_means``, and on items where both costs are above
        zero ``geometric`` (the exponential of the mean log ratio, every item the same
        say), ``loglog_ols`` and ``loglog_deming`` (the power of a power law; 1 for a constant
        multiplier). Errors of the reference's costs pull ``slope`` and ``loglog_ols``
        towards 0.
    """
    plain = moments(counts, reference, student)
    x, y = np.asarray(reference, dtype=np.float64), np.asarray(student, dtype=np.float64)
    logs = moments(counts, positive_log(x), positive_log(y))
    slope = ols_slope(plain)
    return {
        "through_origin": _ratio(plain.cov + plain.mean_x * plain.mean_y, plain.var_x + plain.mean_x**2),
        "slope": slope,
        "intercept": plain.mean_y - slope * plain.mean_x,
        "ratio_of_means": _ratio(plain.mean_y, plain.mean_x),
        "geometric": np.exp(logs.mean_y - logs.mean_x),
        "loglog_ols": ols_slope(logs),
        "loglog_deming": deming_slope(logs),
    }


def positive_log(values: ArrayLike) -> FloatArray:
    """Natural log; NaN where a value is zero, negative or missing."""
    numbers = np.asarray(values, dtype=np.float64)
    return np.log(np.where(numbers > 0, numbers, np.nan))


def _columns(values: ArrayLike) -> FloatArray:
    numbers = np.asarray(values, dtype=np.float64)
    return numbers.reshape(len(numbers), -1)


def _centred(values: FloatArray, known: np.ndarray) -> tuple[FloatArray, FloatArray]:
    """Values minus their mean, 0 where unknown: squares of large numbers then do not cancel."""
    middle = np.where(known, values, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    centred = np.where(known, values - middle, 0.0)
    # Equal values may miss their mean by a rounding error, which is no variance.
    rounding = 8 * np.finfo(np.float64).eps * np.abs(middle)
    return np.where(np.abs(centred) <= rounding, 0.0, centred), middle


def _variance(square: FloatArray, mean: FloatArray) -> FloatArray:
    variance = square - mean**2
    return np.where(variance <= 1e-12 * square, np.where(np.isnan(square), np.nan, 0.0), variance)


def _ratio(above: FloatArray, below: FloatArray) -> FloatArray:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(below > 0, above / below, np.where(below < 0, above / below, np.nan))
