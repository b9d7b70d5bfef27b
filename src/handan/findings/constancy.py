"""The rule by which a multiplier counts as constant, fixed before the numbers were seen.

It looks at the 95 % interval of ``change``: the factor by which a student's multiplier grows
when an item is one standard deviation harder for people.

- *supported*: the whole interval lies within a factor of `WITHIN` either way, so that a
  change worth the name is ruled out, even where a small one is certain.
- *not supported*: the interval excludes 1 and reaches beyond that factor: there is a
  change, and it is not known to be a small one.
- *cannot tell*: anything else, and always below `FEWEST` items. So is a *supported* that only
  stands because the norm's noise ceiling is low.

An equivalence test beside a test of difference has four outcomes (Lakens, 2017,
doi:10.1177/1948550617697177); equivalent means supported here, whether different or not.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from handan.findings.verdict import CANNOT_TELL, EDGE, FEWEST, NOT_SUPPORTED, SUPPORTED

WITHIN = 1.10


def constant_multiplier(low: float, high: float, n_items: int, ceiling: float = np.nan) -> str:
    """Apply the rule to an interval.

    Parameters
    ----------
    low, high : float
        Ends of the 95 % interval of ``change``, a factor per standard deviation of difficulty.
    n_items : int
        Items behind it.
    ceiling : float
        Noise ceiling of the norm, NaN where it is not known. Errors of the norm shrink the log
        of ``change`` by this factor, so that an unreliable norm would make any law look good:
        the law is supported only if it would be without them.

    Returns
    -------
    str
        ``supported``, ``not supported`` or ``cannot tell``.

    Raises
    ------
    ValueError
        When the interval is upside down or an end is not positive.
    """
    if not (np.isfinite(low) and np.isfinite(high)) or n_items < FEWEST:
        return CANNOT_TELL
    if not 0 < low <= high:
        raise ValueError(
            f"the ends of an interval of a factor must be positive and in order, not {low:g}, {high:g}"
        )
    power = 1 / ceiling if 0 < ceiling < 1 else 1.0
    if low**power >= 1 / WITHIN and high**power <= WITHIN:
        return SUPPORTED
    return NOT_SUPPORTED if low > 1 or high < 1 else CANNOT_TELL


def law(
    low: float, high: float, n_items: int, errors: float = 0.0, ceiling: float = np.nan
) -> dict[str, Any]:
    """Verdict on a constant multiplier, and what it says about the interval.

    Parameters
    ----------
    low, high, n_items
        As in `constant_multiplier`.
    errors : float
        Monte Carlo error of the natural log of either end.
    ceiling : float
        As in `constant_multiplier`.

    Returns
    -------
    dict
        ``verdict``, ``on_edge`` and ``ending``, one or two sentences.
    """
    found = constant_multiplier(low, high, n_items, ceiling)
    shifts = [(a, b) for a in (-errors, errors) for b in (-errors, errors)]
    ends = [(low * np.exp(a), high * np.exp(b)) for a, b in shifts]
    near = {constant_multiplier(a, b, n_items, ceiling) for a, b in ends if not a > b}
    on_edge = len(near | {found}) > 1
    ending = _ending(found, low, high, n_items) + (EDGE if on_edge else "")
    return {"verdict": found, "on_edge": on_edge, "ending": ending}


def _ending(found: str, low: float, high: float, n_items: int) -> str:
    if not (np.isfinite(low) and np.isfinite(high)):
        return "Whether the multiplier is constant cannot be told here: its change has no interval."
    if n_items < FEWEST:
        return f"Whether the multiplier is constant cannot be told here: fewer than {FEWEST} items."
    if found == SUPPORTED:
        small = ", though a smaller one is certain" if low > 1 or high < 1 else ""
        return f"A constant multiplier is supported here: a factor beyond {WITHIN:.2f} is ruled out{small}."
    if found == NOT_SUPPORTED:
        way = "grows" if low > 1 else "shrinks"
        return f"A constant multiplier is not supported here: the multiplier {way} with difficulty."
    if low >= 1 / WITHIN and high <= WITHIN:
        return (
            "A constant multiplier can be neither supported nor rejected here: without the errors of "
            f"the norm the change may lie beyond {WITHIN:.2f}."
        )
    room = f"room both for no change and for one beyond {WITHIN:.2f}"
    return f"A constant multiplier can be neither supported nor rejected here: the interval leaves {room}."
