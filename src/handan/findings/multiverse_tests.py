"""The joint test: specifications would seldom agree so well if none had a true difference.

Simonsohn, Simmons and Nelson (2020, doi:10.1038/s41562-020-0912-z) proposed such a test.
Where a treatment was assigned at random, they shuffle it. Here nothing was assigned. The
standardised costs of two models can be swapped within items, but not where a filter keeps
other items for either model, such as its right answers.

So the estimates are drawn around zero instead. An estimate is a sum of what its items add to
it (jackknife deviations). Each item gets a random sign, the same in all specifications
and pairs. That keeps the variance of each estimate and how they vary together, and works
with every filter. In `benchmarks/multiverse_level.py` both schemes keep their level, and
neither has more power.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from handan.findings.join import task_rng
from handan.findings.specification_data import FloatArray
from handan.findings.specifications import CLAIMS, Explored

TESTS = [
    *("study", "claim", "statistic", "observed", "null_low", "null_high", "p", "p_error", "on_edge"),
    *("n_perm", "n_items", "note"),
]
MEDIAN = "median difference"
AGREEMENT = "share in the paper's direction"
CLEAR = "share clear for minus share clear against"
LEVEL = 0.05

_CELLS_PER_CHUNK = 1_000_000


def joint_tests(one: Explored, n_perm: int, seed: int) -> pd.DataFrame:
    """Test all specifications of one study and claim together.

    Parameters
    ----------
    one : Explored
        The specifications.
    n_perm, seed : int
        Draws.

    Returns
    -------
    DataFrame
        `TESTS`. The three statistics are symmetric around no difference, so p is two-sided.
    """
    names = one.table[["study", "claim"]].iloc[0].to_dict()
    run = one.table[one.table["run"].astype(bool)]
    if run.empty:
        return pd.DataFrame([{**names, "n_perm": 0, "note": "no specification was run"}], columns=TESTS)
    sign = CLAIMS[names["claim"]].sign
    value = run["difference"].to_numpy(dtype=float)
    rng = task_rng(seed, names["study"], names["claim"])
    observed = _statistics(value[None], one.reach, sign)
    drawn = [_statistics(draws, one.reach, sign) for draws in null_draws(one.deviations, n_perm, rng)]
    rows = []
    for statistic, middle in ((MEDIAN, 0.0), (AGREEMENT, 0.5), (CLEAR, 0.0)):
        null = np.concatenate([part[statistic] for part in drawn])
        rows.append({**names, "statistic": statistic, **_tested(observed[statistic][0], null, middle)})
    return pd.DataFrame(rows, columns=TESTS).assign(n_items=int(run["n_items"].max()), note="")


def null_draws(deviations: FloatArray, n_perm: int, rng: np.random.Generator) -> Iterator[FloatArray]:
    """Draw the estimates of all specifications as if none had a true difference.

    Parameters
    ----------
    deviations : ndarray of shape (items, specifications)
        See `Explored`.
    n_perm : int
        Draws.
    rng : Generator
        Source of the signs.

    Yields
    ------
    ndarray of shape (at most n_perm, specifications)
    """
    size = max(1, _CELLS_PER_CHUNK // max(len(deviations), 1))
    for start in range(0, n_perm, size):
        signs = 2.0 * rng.integers(0, 2, (min(size, n_perm - start), len(deviations))) - 1
        yield signs @ deviations


def _statistics(values: FloatArray, reach: FloatArray, sign: int) -> dict[str, FloatArray]:
    """Statistics of each row of estimates; of shape (rows,)."""
    clear_for = (sign * values > reach).mean(axis=1)
    clear_against = (sign * values < -reach).mean(axis=1)
    # Half of an exact zero goes either way, so that the share keeps its symmetry.
    agreement = (sign * values > 0).mean(axis=1) + (values == 0).mean(axis=1) / 2
    return {MEDIAN: np.median(values, axis=1), AGREEMENT: agreement, CLEAR: clear_for - clear_against}


def _tested(observed: float, null: FloatArray, middle: float) -> dict[str, Any]:
    low, high = np.quantile(null, [0.025, 0.975])
    # Rounding must not make a draw that equals the observed value smaller.
    beyond = np.abs(null - middle) >= np.abs(observed - middle) - 1e-12
    p = float((1 + beyond.sum()) / (1 + len(null)))
    error = 2 * float(np.sqrt(p * (1 - p) / len(null)))
    ends = dict(observed=float(observed), null_low=float(low), null_high=float(high))
    return {**ends, "p": p, "p_error": error, "on_edge": abs(p - LEVEL) < error, "n_perm": len(null)}
