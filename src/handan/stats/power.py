"""How many items a comparison of models needs, before any model is run.

The rule that decides reads an interval of the mean difference over pairs: wholly above 0,
wholly below a smallest difference of interest, or neither. Here is the probability of each.
An interval excludes a value where the estimate lies more than 1.96 standard errors away
from it; that standard error is the one that holds at the value, while the estimate scatters
with the one that holds at the truth.

All of it assumes normal data. `handan.stats.power_simulation` draws data instead, and
``benchmarks/power.py`` compares the two. `handan.stats.pair_power` has the power of the
common test of a single pair.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ._common import normal_quantile
from .pair_design import ImpossibleDesign, PairDesign, pair_design

MOST_ITEMS = 10_000_000


class Shares(NamedTuple):
    """Probability of each verdict; they sum to 1."""

    supported: float
    cannot_tell: float
    not_supported: float


class Errors(NamedTuple):
    """Standard error of the mean difference at the truth, at no difference, at the smallest of interest."""

    truth: float
    zero: float
    smallest: float


def design_errors(design: PairDesign, n_items: float, smallest: float) -> Errors:
    """Compute the standard errors that the rule's probabilities need.

    Parameters
    ----------
    design : PairDesign
        The truth.
    n_items : float
        Items, at least 2.
    smallest : float
        Smallest difference of interest.
    """
    designs = (design, design.with_difference(0), design.with_difference(smallest))
    return Errors(*(float(np.sqrt(one.variance / (n_items - 1))) for one in designs))


def rule_shares(difference: float, errors: Errors, smallest: float, alpha: float = 0.05) -> Shares:
    """Probability of each verdict from the true difference and its standard errors.

    Parameters
    ----------
    difference : float
        True mean difference.
    errors : Errors
        See `design_errors`; of a mean over tasks, the root of the summed squares.
    smallest : float
        Smallest difference of interest, positive.
    alpha : float
        Intervals have confidence ``1 - alpha``.

    Raises
    ------
    ValueError
        When `smallest` is not positive, or `alpha` not between 0 and 1.
    """
    if not smallest > 0:
        raise ValueError(f"the smallest difference of interest must be positive, got {smallest:g}")
    q = normal_quantile(1 - alpha)
    above_zero = q * errors.zero
    below_smallest = smallest - q * errors.smallest
    if errors.truth == 0:
        decided = (difference > above_zero, above_zero >= difference and difference < below_smallest)
        return Shares(float(decided[0]), float(not any(decided)), float(decided[1]))
    supported = _exceeds(difference, above_zero, errors.truth)
    not_supported = _exceeds(min(below_smallest, above_zero), difference, errors.truth)
    return Shares(supported, max(0.0, 1 - supported - not_supported), not_supported)


def verdict_shares(
    design: PairDesign, n_items: int, smallest: float, *, alpha: float = 0.05, fewest: int = 0
) -> Shares:
    """Probability of each verdict of the rule for a planned study.

    Parameters
    ----------
    design : PairDesign
        The truth; the claim is that its difference is positive.
    n_items : int
        Items.
    smallest : float
        Smallest difference of interest, positive.
    alpha : float
        Intervals have confidence ``1 - alpha``.
    fewest : int
        With fewer items (and always below 4) every verdict is *cannot tell*.

    Raises
    ------
    ValueError
        As in `rule_shares`.
    """
    if n_items < max(fewest, 4):
        return Shares(0.0, 1.0, 0.0)
    return rule_shares(design.difference, design_errors(design, n_items, smallest), smallest, alpha)


def interval_power(design: PairDesign, n_items: int, alpha: float = 0.05) -> float:
    """Probability that the interval of the mean difference excludes 0, on either side.

    Parameters
    ----------
    design : PairDesign
        The truth.
    n_items : int
        Items; NaN below 4.
    alpha : float
        The interval has confidence ``1 - alpha``.
    """
    if n_items < 4:
        return np.nan
    return _beyond_zero(design, n_items, alpha, 1) + _beyond_zero(design, n_items, alpha, -1)


def required_items(
    r_a: float,
    r_b: float,
    r_ab: float,
    power: float = 0.8,
    alpha: float = 0.05,
    *,
    n_pairs: float = 1,
    one_teacher: bool = False,
    alike: float | None = None,
    fewest: int = 4,
) -> int:
    """Fewest items with which an interval of the mean difference excludes 0 with this power.

    Parameters
    ----------
    r_a, r_b, r_ab, n_pairs, one_teacher, alike
        The truth, see `handan.stats.pair_design.pair_design`. The interval has to lie on the
        side of the true difference.
    power : float
        Probability aimed at.
    alpha : float
        The interval has confidence ``1 - alpha``.
    fewest : int
        No fewer items than these are named.

    Raises
    ------
    ValueError
        When an argument is out of its range.
    ImpossibleDesign
        When the two correlations are equal, can't occur with `r_ab`, or no number of items
        is enough.
    """
    if r_a == r_b:
        raise ImpossibleDesign(
            f"r_a and r_b are both {r_a:g}: no number of items shows a difference that isn't there"
        )
    design = pair_design(r_a, r_b, r_ab, n_pairs, one_teacher=one_teacher, alike=alike)
    side = 1 if r_a > r_b else -1
    return _fewest(lambda n: _beyond_zero(design, n, alpha, side), power, fewest)


def items_to_rule_out(
    r: float,
    r_ab: float,
    smallest: float,
    power: float = 0.8,
    alpha: float = 0.05,
    *,
    n_pairs: float = 1,
    one_teacher: bool = False,
    alike: float | None = None,
    fewest: int = 4,
) -> int:
    """Fewest items with which the rule says *not supported* where there is no difference.

    Parameters
    ----------
    r : float
        Observed correlation with people of both models of every pair.
    r_ab, n_pairs, one_teacher, alike
        As in `handan.stats.pair_design.pair_design`.
    smallest : float
        Smallest difference of interest, positive: the interval must lie wholly below it.
    power, alpha, fewest
        As in `required_items`.

    Raises
    ------
    ValueError, ImpossibleDesign
        As in `required_items`. A power above ``1 - alpha / 2`` is beyond reach, as that often
        the interval lies above 0 by chance.
    """
    design = pair_design(r, r, r_ab, n_pairs, one_teacher=one_teacher, alike=alike)
    return _fewest(lambda n: verdict_shares(design, n, smallest, alpha=alpha).not_supported, power, fewest)


def _fewest(share: Callable[[int], float], power: float, least: int) -> int:
    if not 0 < power < 1:
        raise ValueError(f"power must lie between 0 and 1 (0.8 for 80 %), got {power:g}")
    low, high = least - 1, least
    while share(high) < power:
        low, high = high, 2 * high
        if high > MOST_ITEMS:
            raise ImpossibleDesign(f"not even {MOST_ITEMS:,} items reach a power of {power:g}")
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if share(middle) >= power else (middle, high)
    return high


def _beyond_zero(design: PairDesign, n_items: int, alpha: float, side: int) -> float:
    """Probability that the interval lies wholly above 0 (side 1) or below it (side -1)."""
    errors = design_errors(design, n_items, 0.0)
    reach = normal_quantile(1 - alpha) * errors.zero
    return _exceeds(side * design.difference, reach, errors.truth)


def _exceeds(mean: float, limit: float, error: float) -> float:
    """Probability that a normal value with this mean and standard error lies above a limit."""
    from scipy import special

    return float(special.ndtr((mean - limit) / error)) if error > 0 else float(mean > limit)
