"""Simulated students whose multiplier is known: constant, or growing with difficulty.

A line through the origin is decided by the dearest items, and the R² about 0 that goes with
it is high for any two costs that rise together. A study in which the multiplier is the
same for all items and one in which it grows several-fold can thus have the same slope and
much the same R². These studies show it, and serve to check that ``change`` tells them apart.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from handan.tables import check_lineage


class Simulated(NamedTuple):
    """The three tables of a simulated study."""

    costs: pd.DataFrame
    norms: pd.DataFrame
    lineage: pd.DataFrame


def simulated_study(
    change: float,
    *,
    slope: float = 2.44,
    n_items: int = 120,
    n_pairs: int = 1,
    noise: float = 0.2,
    name: str = "simulated",
    seed: int = 0,
) -> Simulated:
    """Draw a study of students and their bases in which the multiplier's change is known.

    A base spends ``exp(6 + 0.9 d)`` tokens on an item of standardised difficulty d; its student
    spends a multiple of that, which grows by the factor `change` per standard deviation.

    Parameters
    ----------
    change : float
        Factor per standard deviation of difficulty; 1 for a constant multiplier.
    slope : float
        Slope through the origin that every pair is made to have, whatever its change.
    n_items, n_pairs : int
        Items, of which there must be at least two, and pairs of a student and its base.
    noise : float
        Standard deviation of the log costs' errors, on each side.
    name : str
        Name of the study.
    seed : int
        Source of randomness.

    Returns
    -------
    Simulated
        Task ``t``; models ``base-0, student-0, ...``; ``log_rt`` is ``1 + 0.3 d``.

    Raises
    ------
    ValueError
        When `change`, `slope` or a count makes no study.
    """
    if n_items < 2 or n_pairs < 1 or not (change > 0 and slope > 0):
        raise ValueError(
            "a study needs 2 items, 1 pair, and a change and a slope above 0; got "
            f"n_items={n_items}, n_pairs={n_pairs}, change={change}, slope={slope}"
        )
    rng = np.random.default_rng(seed)
    d = rng.standard_normal(n_items)
    d = (d - d.mean()) / d.std(ddof=1)
    shape = (n_pairs, n_items)
    base = np.exp(6 + 0.9 * d + noise * rng.standard_normal(shape))
    student = np.exp(6 + (0.9 + np.log(change)) * d + noise * rng.standard_normal(shape))
    student *= (slope * (base**2).sum(axis=1) / (base * student).sum(axis=1))[:, None]
    items = [f"i{k}" for k in range(n_items)]
    costs = [
        pd.DataFrame(dict(model=f"{role}-{k}", task="t", item=items, reasoning_tokens=spent[k], stop="stop"))
        for k in range(n_pairs)
        for role, spent in (("base", base), ("student", student))
    ]
    norms = pd.DataFrame(dict(task="t", item=items, log_rt=1 + 0.3 * d))
    return Simulated(pd.concat(costs, ignore_index=True).assign(study=name), norms, _lineage(n_pairs))


def _lineage(n_pairs: int) -> pd.DataFrame:
    bases = [dict(model=f"base-{k}", role="baseline") for k in range(n_pairs)]
    students = [dict(model=f"student-{k}", role="student", base=f"base-{k}") for k in range(n_pairs)]
    return check_lineage(pd.DataFrame([*bases, *students]))
