"""The rules that turn an estimate beside a published number into a verdict.

Five rules serve all claims of the ledger. Two of them belong to findings that have their own
module: ``direction`` (`handan.findings.verdict`) and ``constant`` (`handan.findings.constancy`);
a third, ``found``, takes the verdict that a finding states by itself. The two rules here are
about a number that was published.

- ``near``: the number lies on an additive scale, such as a correlation.
- ``factor``: the number is a ratio.

Both compare the 95 % interval with a band around the published number: `NEAR` to either
side, or a factor of `FACTOR`, which is what regulators call equivalent in drugs (0.80 to 1.25).

- *supported*: the whole interval lies in the band.
- *not supported*: the whole interval lies outside of it.
- *cannot tell*: they overlap, or there are fewer than `FEWEST` items, or a correlation lies below
  the band only because the norm's noise ceiling is low.

The bands were written with the ledger, before it was first run; correlations of earlier chapters were
known by then. That a noisy norm excuses a low correlation was added afterwards, when a review had
found the rule unfair without it. The three outcomes are those
of an interval beside a region of practical equivalence (Kruschke, 2018,
doi:10.1177/2515245918771304).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from handan.findings.verdict import CANNOT_TELL, FEWEST, NOT_SUPPORTED, SMALLEST, SUPPORTED

NEAR = SMALLEST
FACTOR = 1.25


def near(
    low: float, high: float, paper: float, n_items: float, within: float = NEAR, ceiling: float = np.nan
) -> str:
    """Compare an interval with a published number, by difference.

    Parameters
    ----------
    low, high : float
        Ends of the 95 % interval.
    paper : float
        The published number.
    n_items : float
        Items behind the interval; NaN where they are not known.
    within : float
        Half-width of the band, positive.
    ceiling : float
        Noise ceiling of the norm, NaN where it is not known. A correlation below the band is held
        against the claim only if it would stay there with a norm without noise.

    Returns
    -------
    str
        ``supported``, ``not supported`` or ``cannot tell``.

    Raises
    ------
    ValueError
        When the interval is upside down.
    """
    found = _band(low, high, paper - within, paper + within, n_items)
    bottom = paper - within
    # What is divided by a ceiling of 0 may be anything.
    noisy = 0 <= ceiling < 1 and 0 < high < bottom and bottom * ceiling <= high
    return CANNOT_TELL if found == NOT_SUPPORTED and noisy else found


def factor(low: float, high: float, paper: float, n_items: float, within: float = FACTOR) -> str:
    """Compare an interval of a ratio with a published ratio.

    Parameters
    ----------
    low, high, paper, n_items
        As in `near`.
    within : float
        Factor to either side, above 1.

    Returns
    -------
    str
        As `near`.

    Raises
    ------
    ValueError
        When the interval is upside down.
    """
    return _band(low, high, paper / within, paper * within, n_items)


def on_edge(judge: Callable[[float, float], str], low: float, high: float, error: float) -> bool:
    """Say whether other random draws could change a verdict.

    Parameters
    ----------
    judge : callable
        Gives the verdict of an interval from its two ends.
    low, high : float
        Ends of the interval.
    error : float
        Monte Carlo error of either end, on the same scale.
    """
    shifts = [(a, b) for a in (-error, 0.0, error) for b in (-error, 0.0, error)]
    ends = [(low + a, high + b) for a, b in shifts]
    return len({judge(a, b) for a, b in ends if not a > b}) > 1


def band(rule: str, paper: float) -> tuple[float, float]:
    """Give the ends of the band of a rule.

    Raises
    ------
    LookupError
        When the rule has none.
    """
    if rule == "near":
        return paper - NEAR, paper + NEAR
    if rule == "factor":
        return paper / FACTOR, paper * FACTOR
    raise LookupError(f"the rule {rule!r} has no band; near and factor have")


def _band(low: float, high: float, bottom: float, top: float, n_items: float) -> str:
    if not (np.isfinite(low) and np.isfinite(high)) or n_items < FEWEST:
        return CANNOT_TELL
    if low > high:
        raise ValueError(f"the interval is upside down: low {low:g} is above high {high:g}")
    if bottom <= low and high <= top:
        return SUPPORTED
    return NOT_SUPPORTED if high < bottom or low > top else CANNOT_TELL
