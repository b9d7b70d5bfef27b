"""Percentile intervals of bootstrap draws, expanded where there are few items."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._common import FloatArray, check_confidence


@dataclass(frozen=True)
class PercentileInterval:
    """A percentile interval and how many draws it rests on.

    Attributes
    ----------
    low, high : ndarray of shape (k,), or scalar
        Ends of the interval; NaN where no draw was usable.
    n_draws : int
        Draws in all.
    n_missing : ndarray of int of shape (k,), or scalar
        Draws left out because they were NaN (a resample without variance).
    """

    low: FloatArray
    high: FloatArray
    n_draws: int
    n_missing: NDArray[np.int64]


def tail(n_items: ArrayLike | None = None, n_tasks: ArrayLike = 1, confidence: float = 0.95) -> FloatArray:
    """Share of the draws to leave out at either end of a percentile interval.

    Items drawn from a sample scatter a little less than items drawn from the world, and a plain
    interval allows for no doubt about how much they scatter. Both make it too short for few
    items. The expanded interval (Hesterberg, 2015, doi:10.1080/00031305.2015.1089789) reaches
    further out, by the factor of Student's t over the normal quantile and by that of the two
    standard deviations. Where tasks are resampled apart, each costs a degree of freedom.

    Parameters
    ----------
    n_items : array_like of int, optional
        Items behind a draw, over all tasks; without it the plain tail.
    n_tasks : array_like of int
        Tasks that are resampled apart.
    confidence : float
        Coverage aimed at, between 0 and 1.

    Returns
    -------
    ndarray
        In the shape of `n_items`; 0 with no more items than tasks, where nothing says how much
        items scatter.

    Raises
    ------
    ValueError
        If `confidence` is not between 0 and 1, or a number of items is missing.
    """
    from scipy.special import ndtr, stdtrit

    check_confidence(confidence)
    plain = (1 - confidence) / 2
    if n_items is None:
        return np.asarray(plain)
    n = np.asarray(n_items, dtype=np.float64)
    if np.isnan(n).any():
        raise ValueError(f"n_items is missing (NaN) in {np.isnan(n).sum()} of {n.size} places")
    df = np.maximum(n - np.asarray(n_tasks, dtype=np.float64), 1e-9)
    expanded = ndtr(-stdtrit(np.maximum(df, 1.0), 1 - plain) * np.sqrt(n / df))
    return np.where(df < 1, 0.0, expanded)


def percentile_interval(
    draws: ArrayLike,
    confidence: float = 0.95,
    *,
    n_items: ArrayLike | None = None,
    n_tasks: ArrayLike = 1,
) -> PercentileInterval:
    """Percentile bootstrap interval of each column of draws (Efron, 1979).

    Parameters
    ----------
    draws : array_like of shape (n_boot,) or (n_boot, k)
        Bootstrap draws. NaN draws are left out and counted.
    confidence : float
        Coverage aimed at, between 0 and 1.
    n_items, n_tasks : array_like of int, scalar or of shape (k,), optional
        Items behind the draws, and the tasks that they were resampled in: the interval is then
        expanded for few items, see `tail`.

    Returns
    -------
    PercentileInterval
        Scalars for one-dimensional draws, else arrays of shape (k,).

    Raises
    ------
    ValueError
        If `confidence` is not between 0 and 1, or there is no draw.
    """
    values = np.asarray(draws, dtype=np.float64)
    left_out = tail(n_items, n_tasks, confidence)
    if values.ndim not in (1, 2) or len(values) == 0:
        raise ValueError(
            f"draws must have shape (n_boot,) or (n_boot, k) with n_boot >= 1, got {values.shape}"
        )
    missing = np.isnan(values).sum(axis=0)
    # A column of NaN has no quantile; zeros stand in so that numpy has nothing to warn about.
    usable = np.where(missing == len(values), 0.0, values)
    ends = np.where(missing == len(values), np.nan, _ends(usable, left_out))
    return PercentileInterval(low=ends[0], high=ends[1], n_draws=len(values), n_missing=missing)


def end_errors(draws: np.ndarray, n_items: int | None = None, n_tasks: int = 1) -> tuple[float, float]:
    """Give two Monte Carlo standard errors of each end of a 95 % percentile interval.

    Parameters
    ----------
    draws : ndarray of shape (n_boot,)
        Bootstrap draws; the errors come from the order statistics around the ends. Without any
        draw they are 0.
    n_items, n_tasks : int, optional
        As they were given to `percentile_interval`.
    """
    if np.isnan(draws).all():
        return 0.0, 0.0
    share = float(tail(n_items, n_tasks))
    rank_error = min(2 * np.sqrt(share * (1 - share) / len(draws)), share)
    ends = np.array([share, 1 - share])
    below, above = np.nanquantile(draws, [ends - rank_error, ends + rank_error])
    return tuple((above - below) / 2)


def _ends(values: FloatArray, left_out: FloatArray) -> FloatArray:
    """Quantiles at both ends, shape (2,) or (2, k); every column may leave out another share."""
    quantile = np.nanquantile if np.isnan(values).any() else np.quantile
    shares = np.unique(left_out)
    if len(shares) == 1:
        return quantile(values, [shares[0], 1 - shares[0]], axis=0)
    columns = np.broadcast_to(left_out, values.shape[1:])
    ends = np.empty((2, values.shape[1]))
    for share in shares:
        same = columns == share
        ends[:, same] = quantile(values[:, same], [share, 1 - share], axis=0)
    return ends
