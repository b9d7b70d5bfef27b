"""From an interval to a verdict, by one rule that was fixed before the numbers were seen.

The difference is signed so that a positive value is what the paper claims.

- *supported*: the whole 95 % interval lies above 0.
- *not supported*: the whole interval lies below `SMALLEST`, so that a difference worth
  the name is ruled out.
- *cannot tell*: anything else, and always below `FEWEST` items, where a bootstrap
  interval can't be trusted.

An interval is itself computed by drawing at random. Where its ends lie so close to a limit
that another seed could change the verdict, the verdict is said to be *on the edge*.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from handan.formats import number

if TYPE_CHECKING:
    import pandas as pd

# The mean r of teachers and of students that the paper's abstract states.
PAPER = (0.64, 0.34)

# A third of the difference between the two.
SMALLEST = (PAPER[0] - PAPER[1]) / 3

FEWEST = 20

SUPPORTED = "supported"
NOT_SUPPORTED = "not supported"
CANNOT_TELL = "cannot tell"


@dataclass(frozen=True)
class Claim:
    """What the paper says about the alignment of `a` minus that of `b`.

    Attributes
    ----------
    name : str
        Name of the claim in tables, for example ``collapse``.
    stated : str
        The claim in a sentence, for example ``the claim of negative transfer``.
    a, b : str
        Names of the two groups in a sentence, in the plural.
    sign : int
        +1 when the paper says that a is above b, -1 when it says below.
    """

    name: str
    stated: str
    a: str
    b: str
    sign: int


COLLAPSE = Claim("collapse", "the claim of functional alignment collapse", "teachers", "students", +1)
TRANSFER = Claim("transfer", "the claim of negative transfer", "students", "baselines", -1)
# No such claim of the paper is known to us; it shows whether a model must reason to align.
ADVANTAGE = Claim(
    "advantage", "our own claim that teachers align better than baselines", "teachers", "baselines", +1
)

# Added to a sentence whose verdict hangs on the draws.
EDGE = " The interval ends so close to a limit of the rule that another seed could change this verdict."


def verdict(low: float, high: float, sign: int = 1, smallest: float = SMALLEST) -> str:
    """Apply the rule to an interval of a difference of correlations.

    Parameters
    ----------
    low, high : float
        Ends of the interval of a minus b.
    sign : int
        +1 when the claim is that a is above b, -1 when below.
    smallest : float
        Smallest difference of interest, positive.

    Returns
    -------
    str
        ``supported``, ``not supported`` or ``cannot tell``.

    Raises
    ------
    ValueError
        When `low` is above `high`.
    """
    if not (np.isfinite(low) and np.isfinite(high)):
        return CANNOT_TELL
    if low > high:
        raise ValueError(f"the interval is upside down: low {low:g} is above high {high:g}")
    if sign < 0:
        low, high = -high, -low
    if low > 0:
        return SUPPORTED
    return NOT_SUPPORTED if high < smallest else CANNOT_TELL


def enough(n_items: pd.Series) -> pd.Series:
    """Say which of several cells have enough items to be pooled.

    A correlation over a handful of items says next to nothing, and yet counts as much in a mean
    as any other. Where some cells have `FEWEST` items, smaller ones are left out of the mean;
    where none has, all stay, and the verdict is *cannot tell*.

    Parameters
    ----------
    n_items : Series
        Items of each cell.

    Returns
    -------
    Series of bool
        In the index of `n_items`.
    """
    large = n_items >= FEWEST
    return large if large.any() else n_items >= 0


def judge(claim: Claim, row: Mapping[str, Any], errors: tuple[float, float] = (0.0, 0.0)) -> dict[str, Any]:
    """Verdict and sentence for a pooled comparison.

    Parameters
    ----------
    claim : Claim
        What is claimed.
    row : mapping
        ``study, relation, n_pairs, n_items, r_a, r_b, difference, low, high``; ``largest``, the
        items of the largest task, where there are several (by default ``n_items``).
    errors : tuple of (float, float)
        Monte Carlo error of ``low`` and of ``high``.

    Returns
    -------
    dict
        ``claim``, ``verdict``, ``on_edge`` and ``sentence``.
    """
    if _few(row):
        found, near = CANNOT_TELL, {CANNOT_TELL}
    else:
        found = verdict(row["low"], row["high"], claim.sign)
        near = {
            verdict(row["low"] + a * errors[0], row["high"] + b * errors[1], claim.sign)
            for a in (-1, 1)
            for b in (-1, 1)
            if row["low"] + a * errors[0] <= row["high"] + b * errors[1]
        }
    on_edge = len(near | {found}) > 1
    sentence = _sentence(claim, row, found) + (EDGE if on_edge else "")
    return {"claim": claim.name, "verdict": found, "on_edge": on_edge, "sentence": sentence}


def no_data(claim: Claim, study: str, reason: str) -> str:
    """Sentence for a study that cannot speak to a claim at all.

    Parameters
    ----------
    claim : Claim
        What is claimed.
    study : str
        The study.
    reason : str
        Why it can't: a clause without a full stop.
    """
    return f"In {study} {claim.stated} cannot be told: {reason}."


def _few(row: Mapping[str, Any]) -> bool:
    return bool(row.get("largest", row["n_items"]) < FEWEST)


def _sentence(claim: Claim, row: Mapping[str, Any], found: str) -> str:
    pairs = "1 pair" if row["n_pairs"] == 1 else f"{row['n_pairs']} pairs"
    return (
        f"In {row['study']} ({row['relation']}, {pairs}, {row['n_items']} items) {claim.a} reach a mean r of "
        f"{number(row['r_a'])} and {claim.b} {number(row['r_b'])}: a difference of "
        f"{number(row['difference'], 3)}, 95 % interval {number(row['low'], 3)} to {number(row['high'], 3)}. "
        f"{_ending(claim, row, found)}"
    )


def _ending(claim: Claim, row: Mapping[str, Any], found: str) -> str:
    high = max(claim.sign * row["low"], claim.sign * row["high"])
    stated = claim.stated[0].upper() + claim.stated[1:]
    if found == SUPPORTED:
        small = f", but the difference is smaller than {SMALLEST:.2f}" if high < SMALLEST else ""
        return f"{stated} is supported here{small}."
    if found == NOT_SUPPORTED:
        opposite = "; the difference goes the other way" if high < 0 else ""
        size = f"a difference of {SMALLEST:.2f} in its direction is ruled out"
        return f"{stated} is not supported here: {size}{opposite}."
    if _few(row):
        tasks = " in every task" if row.get("largest", row["n_items"]) < row["n_items"] else ""
        return f"{stated} can be neither supported nor rejected here: fewer than {FEWEST} items{tasks}."
    room = f"both for no difference and for one above {SMALLEST:.2f} in its direction"
    return f"{stated} can be neither supported nor rejected here: the interval leaves room {room}."
