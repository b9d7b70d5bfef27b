"""Mean of an estimate over seeds, when seeds and items are both a sample of what might have been.

Train the same recipe with five seeds and test all five models on the same items: another
run of the experiment would have other seeds, and it might have other items. This is the
language-as-fixed-effect problem (Clark, 1973) with seeds in the place of participants. The
variance of the mean over seeds has a part from seeds, a part from items, and noise of
item × seed, which both parts contain and which must be counted once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ._common import FloatArray, check_confidence
from .percentile import percentile_interval


@dataclass(frozen=True)
class CrossedMean:
    """Mean over seeds with an interval over seeds and items.

    Attributes
    ----------
    mean : float
        Mean of the seeds' estimates.
    low, high : float
        Ends of the interval; NaN where there is no variance to build one on.
    error : float
        Standard error.
    df : float
        Degrees of freedom of the interval's t quantile; NaN for a single seed.
    sd : float
        Standard deviation of the estimates over seeds; NaN for a single seed.
    seeds : float
        Part of the variance of the mean that comes from seeds, between 0 and 1; NaN for a
        single seed. The rest comes from items that all seeds share.
    monte_carlo : float
        Two standard errors of either end that are due to drawing at random.
    """

    mean: float
    low: float = np.nan
    high: float = np.nan
    error: float = np.nan
    df: float = np.nan
    sd: float = np.nan
    seeds: float = np.nan
    monte_carlo: float = np.nan


def crossed_mean(
    estimates: ArrayLike, draws: ArrayLike, n_items: int, confidence: float = 0.95
) -> CrossedMean:
    """Average an estimate over seeds, with an interval for other seeds and other items.

    With k seeds, let S² be the variance of their estimates, V the variance over draws of
    their mean, and E the noise of item × seed, which is how much the draws of single seeds
    vary beyond those of their mean, times k / (k - 1). S² / k holds seeds and noise, V holds
    items and noise, so that the variance of the mean is ``S²/k + V - E/k``, but never less
    than either of the first two: inclusion and exclusion, as Cameron, Gelbach and Miller
    (2011) do with two-way clusters. The interval uses Student's t with the degrees of freedom
    of Satterthwaite (1946), k - 1 for the seeds' part and n_items - 1 for the items' part: a
    normal quantile is too short for five seeds, and k - 1 too few where seeds hardly differ.
    ``benchmarks/seed_intervals.py`` compares this with other ways on simulated studies.

    Parameters
    ----------
    estimates : array_like of shape (k,)
        One estimate per seed, none missing.
    draws : array_like of shape (n_boot, k)
        The same estimates on resampled items; a row is one resample, shared by all seeds.
        A resample on which a seed has no value (NaN) is left out.
    n_items : int
        Items that were resampled.
    confidence : float
        Between 0 and 1.

    Returns
    -------
    CrossedMean
        With one seed, the expanded percentile interval over items alone.

    Raises
    ------
    ValueError
        When shapes do not fit, an estimate is missing, there are fewer than 2 draws or
        items, or `confidence` is not between 0 and 1.

    References
    ----------
    Clark (1973), doi:10.1016/S0022-5371(73)80014-3. Cameron, Gelbach and Miller (2011),
    doi:10.1198/jbes.2010.07136. Satterthwaite (1946), doi:10.2307/3002019. The bootstrap of
    both factors at once that this avoids: Owen (2007), doi:10.1214/07-AOAS122.
    """
    check_confidence(confidence)
    values, sample = _checked(estimates, draws, n_items)
    averages = sample.mean(axis=1)
    if len(values) == 1:
        return _items_alone(values, averages, n_items, confidence)
    seed_part, item_part = _parts(values, sample, averages)
    total = seed_part + item_part
    if total <= 0:
        return CrossedMean(float(values.mean()), error=0.0, sd=0.0)
    df = total**2 / (seed_part**2 / (len(values) - 1) + item_part**2 / (n_items - 1))
    reach = _t_quantile(confidence, df) * np.sqrt(total)
    # A variance from n draws has a relative error of sqrt(2 / n); its root has half of that.
    drawn = reach * item_part / total * np.sqrt(2 / len(sample))
    mean = float(values.mean())
    return CrossedMean(
        mean, float(mean - reach), float(mean + reach), float(np.sqrt(total)), float(df),
        float(values.std(ddof=1)), float(seed_part / total), float(drawn),
    )  # fmt: skip


def _checked(estimates: ArrayLike, draws: ArrayLike, n_items: int) -> tuple[FloatArray, FloatArray]:
    values = np.asarray(estimates, dtype=np.float64)
    sample = np.asarray(draws, dtype=np.float64)
    if values.ndim != 1 or not len(values) or sample.ndim != 2 or sample.shape[1] != len(values):
        raise ValueError(
            f"estimates must have shape (k,) and draws (n_boot, k), got {values.shape} and {sample.shape}"
        )
    if np.isnan(values).any():
        raise ValueError(
            f"{np.isnan(values).sum()} of {len(values)} seeds have no estimate; leave them out first"
        )
    sample = sample[~np.isnan(sample).any(axis=1)]
    if len(sample) < 2 or n_items < 2:
        raise ValueError(
            f"an interval needs 2 draws without NaN and 2 items, got {len(sample)} and {n_items}"
        )
    return values, sample


def _parts(values: FloatArray, sample: FloatArray, averages: FloatArray) -> tuple[float, float]:
    """Variance of the mean over seeds from seeds (with the noise), and from the items they share."""
    k = len(values)
    seeds = values.var(ddof=1) / k
    shared = averages.var(ddof=1)
    single = sample.var(axis=0, ddof=1).mean()
    noise = max(0.0, (single - shared) / (k - 1))
    # Never less than either part alone: seeds that agree by chance do not take the items' noise away.
    return float(seeds), float(max(shared - min(noise, seeds), 0.0))


def _items_alone(values: FloatArray, averages: FloatArray, n_items: int, confidence: float) -> CrossedMean:
    interval = percentile_interval(averages, confidence, n_items=n_items)
    error = float(averages.std(ddof=1))
    if error == 0:
        return CrossedMean(float(values[0]), error=0.0)
    low, high = float(interval.low), float(interval.high)
    drawn = 2 * error * _tail_error(confidence, len(averages))
    return CrossedMean(float(values[0]), low, high, error, monte_carlo=drawn)


def _tail_error(confidence: float, n_draws: int) -> float:
    """Give the standard error of a quantile of normal draws, in standard deviations of the draws."""
    from scipy.stats import norm

    tail = (1 - confidence) / 2
    return float(np.sqrt(tail * (1 - tail) / n_draws) / norm.pdf(norm.ppf(tail)))


def _t_quantile(confidence: float, df: float) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(df, 0.5 + confidence / 2))
