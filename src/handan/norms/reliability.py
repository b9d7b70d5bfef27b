"""How well the items' norms would repeat with other people, and what that allows.

A correlation of anything with noisy norms can't reach 1. Split-half reliability
estimates how noisy they are; its square root is the ceiling that every r stands beside.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from handan.stats.bootstrap import bootstrap_correlations, weighted_correlations
from handan.stats.percentile import percentile_interval

FloatArray = NDArray[np.float64]
Indices = NDArray[np.intp]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class SplitHalf:
    """Split-half reliability of item means.

    Attributes
    ----------
    reliability : float
        Mean over splits of the Spearman-Brown corrected r between halves.
    low, high : float
        95 % interval from a bootstrap over items.
    n_items, n_units : int
        Items, and what was halved: participants, or trials where people are unknown.
    unit : {"participants", "trials within item"}
        What was halved.
    n_splits, n_boot : int
        Random splits, and resamples of items.
    n_empty : int
        Item x split pairs (of ``n_items * n_splits``) without a trial in one half. Such
        an item is left out of that split only.
    """

    reliability: float
    low: float
    high: float
    n_items: int
    n_units: int
    unit: str
    n_splits: int
    n_boot: int
    n_empty: int

    @property
    def ceiling(self) -> float:
        """Noise ceiling, see `noise_ceiling`."""
        return float(noise_ceiling(self.reliability))

    @property
    def method(self) -> str:
        """One line for the `method` column of a reliability table."""
        empty = self.n_empty / (self.n_items * self.n_splits)
        left_out = f", {empty:.1%} of item x split pairs empty" if self.n_empty else ""
        return (
            f"split-half over {self.unit} ({self.n_units}), Spearman-Brown, {self.n_splits} splits, "
            f"95 % interval over {self.n_boot} resamples of {self.n_items} items{left_out}"
        )


def split_half(residuals: pd.DataFrame, n_splits: int = 500, n_boot: int = 2000, seed: int = 0) -> SplitHalf:
    """Reliability of item means from random halves of the participants.

    Each split halves the participants (or, where `participant` is missing throughout,
    the trials within each item), averages each half per item, and correlates the two
    sets of item means over items. The bootstrap applies one resample of items to all
    splits and takes the mean over splits of the corrected r.

    Parameters
    ----------
    residuals : DataFrame
        One row per trial: ``item, participant, residual``, as in `ItemNorms.residuals`.
    n_splits, n_boot : int
        Random splits, and resamples of items.
    seed : int
        The same seed gives the same result.

    Returns
    -------
    SplitHalf
        Reliability and interval are NaN where fewer than 3 items can be compared.

    Raises
    ------
    ValueError
        If there is no residual, one is missing or infinite, or there are not two participants.
    """
    values = residuals["residual"].to_numpy(float)
    if len(values) == 0:
        raise ValueError("there is no residual to split; item_norms gives them")
    if not np.isfinite(values).all():
        bad = residuals.index[~np.isfinite(values)].tolist()
        raise ValueError(
            f"residuals must be finite; rows {bad[:10]} are not. Take them from item_norms().residuals"
        )
    items, names = pd.factorize(residuals["item"], sort=True)
    people, ids = pd.factorize(residuals["participant"])
    anonymous = len(ids) == 0
    if not anonymous and ((people < 0).any() or len(ids) < 2):
        raise ValueError(
            "split_half needs at least two participants, and a participant in every row (or in none)"
        )
    split_rng, item_rng = np.random.default_rng(seed).spawn(2)
    halve = partial(_halve_within, items) if anonymous else partial(_halve_people, people)
    first, second = _half_means(items, values, halve, n_splits, split_rng)
    draws = bootstrap_correlations(first, second, n_boot=n_boot, seed=item_rng)
    interval = percentile_interval(_corrected_mean(draws))
    whole = weighted_correlations(np.ones((1, len(names))), first, second)
    return SplitHalf(
        reliability=float(_corrected_mean(whole)[0]),
        low=float(interval.low),
        high=float(interval.high),
        n_items=len(names),
        n_units=len(values) if anonymous else len(ids),
        unit="trials within item" if anonymous else "participants",
        n_splits=n_splits,
        n_boot=n_boot,
        n_empty=int(np.isnan(first + second).sum()),
    )


def spearman_brown(r: ArrayLike) -> FloatArray:
    """Reliability of the whole from the correlation of its halves, 2 r / (1 + r).

    Parameters
    ----------
    r : array_like
        Correlations between halves.

    Returns
    -------
    ndarray
        Same shape. A negative r gives 2 r / (1 + |r|), which stays within [-1, 0]
        where the formula itself (Spearman, 1910; Brown, 1910) falls without bound.
    """
    values = np.asarray(r, dtype=float)
    return 2 * values / (1 + np.abs(values))


def noise_ceiling(reliability: ArrayLike) -> FloatArray:
    """Highest r with the measured norms that an error-free predictor can be expected to reach.

    The predictor meant here is one that equals the true item means up to a linear
    transformation; its expected r with the noisy means is the square root of their
    reliability (Spearman, 1904: attenuation on one side only).

    Parameters
    ----------
    reliability : array_like
        Reliabilities of item means.

    Returns
    -------
    ndarray or scalar
        Same shape; NaN where the reliability is negative or missing.
    """
    values = np.asarray(reliability, dtype=float)
    return np.sqrt(np.where(values >= 0, values, np.nan))


def _halve_people(people: Indices, rng: np.random.Generator) -> Mask:
    n = int(people.max()) + 1
    return (rng.permutation(n) < n // 2)[people]


def _halve_within(items: Indices, rng: np.random.Generator) -> Mask:
    """Halve each item's trials; of an odd number, the larger half goes to either side at random."""
    order = np.lexsort((rng.random(len(items)), items))
    sizes = np.bincount(items)
    starts = np.cumsum(sizes) - sizes
    rank = np.arange(len(items)) - np.repeat(starts, sizes)
    cut = (sizes + rng.integers(0, 2, len(sizes))) // 2
    chosen = np.empty(len(items), dtype=bool)
    chosen[order] = rank < np.repeat(cut, sizes)
    return chosen


def _half_means(
    items: Indices,
    values: FloatArray,
    halve: Callable[[np.random.Generator], Mask],
    n_splits: int,
    rng: np.random.Generator,
) -> tuple[FloatArray, FloatArray]:
    """Item means of the two halves, each of shape (n_items, n_splits); NaN for an empty half."""
    n_items = int(items.max()) + 1
    first, second = np.empty((2, n_items, n_splits))
    for split in range(n_splits):
        chosen = halve(rng)
        for half, means in ((chosen, first), (~chosen, second)):
            n = np.bincount(items[half], minlength=n_items)
            sums = np.bincount(items[half], weights=values[half], minlength=n_items)
            means[:, split] = np.where(n > 0, sums / np.maximum(n, 1), np.nan)
    return first, second


def _corrected_mean(r: FloatArray) -> FloatArray:
    """Mean over splits (columns) of the corrected r; NaN only where no split gave an r."""
    corrected = spearman_brown(r)
    n = np.sum(~np.isnan(corrected), axis=1)
    return np.where(n > 0, np.nansum(corrected, axis=1) / np.maximum(n, 1), np.nan)
