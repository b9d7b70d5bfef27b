"""Compare two groups of independent values: the unpaired t test and its effect size.

The paper seems to compare correlations of model × task cells this way. Cells share their
items and people, so they are not independent, and p can be too small or too large
(`handan.stats.power_tasks` simulates both); the item bootstrap (`handan.stats.bootstrap`)
keeps the dependence.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ._common import FloatArray, check_confidence, two_sided_t


@dataclass(frozen=True)
class UnpairedT:
    """Result of `unpaired_t`.

    Attributes
    ----------
    n_a, n_b : int
        Values used in each group.
    n_missing : int
        NaN values left out of both groups together.
    mean_a, mean_b, difference : float
        Group means and ``mean_a - mean_b``.
    low, high : float
        Interval of the difference at the confidence asked for.
    t, df, p : float
        Statistic, degrees of freedom and two-sided p.
    hedges_g : float
        Difference in pooled standard deviations, corrected for small samples.
    """

    n_a: int
    n_b: int
    n_missing: int
    mean_a: float
    mean_b: float
    difference: float
    low: float
    high: float
    t: float
    df: float
    p: float
    hedges_g: float


def unpaired_t(
    a: ArrayLike, b: ArrayLike, confidence: float = 0.95, equal_variance: bool = True
) -> UnpairedT:
    """Compare the means of two groups of independent values.

    Parameters
    ----------
    a, b : array_like of shape (n_a,), (n_b,)
        Values. NaN is left out and counted.
    confidence : float
        Of the interval of the difference.
    equal_variance : bool
        True for Student's test, False for Welch's (1947).

    Returns
    -------
    UnpairedT
        Statistics are NaN when a group has fewer than 2 values or neither group
        has any variance. Hedges' g uses the exact correction (Hedges, 1981).

    Raises
    ------
    ValueError
        If `confidence` is not between 0 and 1, or a value is infinite.
    """
    from scipy import special

    check_confidence(confidence)
    raw = [np.asarray(values, dtype=np.float64).ravel() for values in (a, b)]
    if any(np.isinf(values).any() for values in raw):
        raise ValueError("a group holds an infinite value; a correlation of 1 through Fisher's z?")
    group_a, group_b = (values[~np.isnan(values)] for values in raw)
    mean_a, mean_b = (float(g.mean()) if g.size else np.nan for g in (group_a, group_b))
    difference = mean_a - mean_b
    error, df, pooled_sd = _spread(group_a, group_b, equal_variance)
    t = difference / error
    margin = float(special.stdtrit(df, 0.5 + confidence / 2)) * error
    return UnpairedT(
        n_a=group_a.size,
        n_b=group_b.size,
        n_missing=raw[0].size + raw[1].size - group_a.size - group_b.size,
        mean_a=mean_a,
        mean_b=mean_b,
        difference=difference,
        low=difference - margin,
        high=difference + margin,
        t=t,
        df=df,
        p=float(two_sided_t(t, df)),
        hedges_g=difference / pooled_sd * _small_sample_factor(group_a.size + group_b.size - 2),
    )


def _spread(a: FloatArray, b: FloatArray, equal_variance: bool) -> tuple[float, float, float]:
    """Return the standard error of the difference, degrees of freedom and pooled deviation."""
    if a.size < 2 or b.size < 2 or (np.ptp(a) == 0 and np.ptp(b) == 0):
        return np.nan, np.nan, np.nan
    var_a, var_b = float(a.var(ddof=1)), float(b.var(ddof=1))
    df = a.size + b.size - 2
    pooled = ((a.size - 1) * var_a + (b.size - 1) * var_b) / df
    if equal_variance:
        return float(np.sqrt(pooled * (1 / a.size + 1 / b.size))), float(df), float(np.sqrt(pooled))
    share_a, share_b = var_a / a.size, var_b / b.size
    welch_df = (share_a + share_b) ** 2 / (share_a**2 / (a.size - 1) + share_b**2 / (b.size - 1))
    return float(np.sqrt(share_a + share_b)), welch_df, float(np.sqrt(pooled))


def _small_sample_factor(df: int) -> float:
    """Factor that removes the bias of a standardised difference; NaN below 2 degrees of freedom."""
    from scipy import special

    if df < 2:
        return np.nan
    return float(np.exp(special.gammaln(df / 2) - special.gammaln((df - 1) / 2)) / np.sqrt(df / 2))
