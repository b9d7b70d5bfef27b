"""The inflation law: a student's tokens as a multiple of its teacher's, or its baseline's.

If the multiple is constant, the ratio of the two costs is the same on easy items and on
hard ones. A slope of the student's cost on the teacher's can't test that: the teacher's item
means have errors, and items on which they came out too low by chance seem to have too high a
ratio, so that the slope lies below the truth even where the law holds (regression to the
mean). Human response times have errors too, but theirs are independent of both models'
errors. The law is therefore tested on ``change``: by what factor the multiplier grows when an
item is one standard deviation harder for people. Errors of the response times shrink its log
by the noise ceiling, so an unreliable norm lets the law look better than it is. The rule of
the verdict stands in `handan.findings.constancy`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from handan.findings.constancy import law
from handan.findings.inflation_pool import pooled_rows
from handan.findings.join import Joined, ceilings, task_rng
from handan.findings.paired_costs import RELATIONS, PairedCosts, item_means, paired_costs, truncated_shares
from handan.formats import number
from handan.stats.bootstrap import resample_chunks
from handan.stats.multiplier import moments, multipliers, ols_slope, positive_log
from handan.stats.percentile import end_errors, percentile_interval

__all__ = ["RELATIONS", "Inflation", "inflation", "item_means", "log_change", "measure", "pooled_inflation"]

_FITS = (
    *("through_origin", "slope", "intercept", "ratio_of_means"),
    *("geometric", "loglog_ols", "loglog_deming", "change"),
)
_NAMES = ["study", "task", "relation", "student", "reference", "n"]
_REST = ["n_zero", "note", "verdict", "on_edge", "sentence", "ceiling"]
COLUMNS = [
    *_NAMES,
    *(f"{fit}{end}" for fit in _FITS for end in ("", "_low", "_high")),
    *_REST,
    *("truncated_student", "truncated_reference"),
]


@dataclass(frozen=True)
class Inflation:
    """Multipliers pair by pair, and pooled.

    Attributes
    ----------
    pairs : DataFrame
        A row per study × task × student × reference; ``relation`` says which. ``n`` common
        items, ``n_zero`` of them with a cost of zero on a side (no part in logs); the fits of
        `handan.stats.multiplier.multipliers` and ``change``, each with its 95 % interval
        (``_low, _high``); ``ceiling``; ``truncated_student, truncated_reference``, shares of
        traces that were cut (their costs are lower bounds); ``verdict``, ``on_edge``,
        ``sentence`` and ``note``. ``change`` has no interval where neither model's cost varies.
        Without a pair there are no rows.
    pooled : DataFrame
        A row per study × relation; see `handan.findings.inflation_pool.pooled_rows`.
    """

    pairs: pd.DataFrame
    pooled: pd.DataFrame


def measure(
    joined: Joined,
    costs: pd.DataFrame,
    lineage: pd.DataFrame,
    reliability: pd.DataFrame | None = None,
    *,
    cost: str = "reasoning_tokens",
    n_boot: int = 10_000,
    seed: int = 0,
) -> Inflation:
    """Measure every student's verbosity multiplier, and test whether it is constant.

    Parameters
    ----------
    joined : Joined
        Costs beside norms, from `handan.findings.join.join`: gives the human measure.
    costs : DataFrame
        The costs that were joined; item means are taken from here, with zeros.
    lineage : DataFrame
        Says who the student's own teacher is, and its base and sibling.
    reliability : DataFrame, optional
        Gives the noise ceilings.
    cost : str
        The cost column.
    n_boot, seed : int
        Item bootstrap; one resample of a task's items serves all pairs.

    Returns
    -------
    Inflation

    Raises
    ------
    LookupError
        When the costs have no column `cost`.
    """
    rows: list[dict[str, Any]] = []
    for found in paired_costs(joined, costs, lineage, cost):
        here = pd.DataFrame([dict(study=found.study, task=found.task)])
        ceiling = dict(ceiling=float(ceilings(here, reliability).iloc[0]))
        measured = _task(found, n_boot, task_rng(seed, found.study, found.task))
        rows += [row | ceiling | _judged(row | ceiling) for row in measured]
    if not rows:
        return Inflation(pd.DataFrame(columns=COLUMNS), pooled_rows(pd.DataFrame()))
    table = pd.DataFrame(rows)
    table = truncated_shares(table, costs, ("student", "reference"))
    return Inflation(table[COLUMNS], pooled_rows(table))


def inflation(
    joined: Joined,
    costs: pd.DataFrame,
    lineage: pd.DataFrame,
    reliability: pd.DataFrame | None = None,
    **options: Any,
) -> pd.DataFrame:
    """Measure multipliers pair by pair: ``pairs`` of `measure`, which explains the parameters."""
    return measure(joined, costs, lineage, reliability, **options).pairs


def pooled_inflation(
    joined: Joined,
    costs: pd.DataFrame,
    lineage: pd.DataFrame,
    reliability: pd.DataFrame | None = None,
    **options: Any,
) -> pd.DataFrame:
    """Pool multipliers over pairs: ``pooled`` of `measure`, which explains the parameters."""
    return measure(joined, costs, lineage, reliability, **options).pooled


def log_change(counts: np.ndarray, ratio: np.ndarray, human: np.ndarray) -> np.ndarray:
    """Slope of a log cost ratio on the human measure, per standard deviation of the items' measures.

    Parameters
    ----------
    counts : ndarray of shape (n_weights, n_items)
        Weights of items.
    ratio : ndarray of shape (n_items, k)
        Log ratios; NaN leaves an item out.
    human : ndarray of shape (n_items,)
        Human measure.

    Returns
    -------
    ndarray of shape (n_weights, k)
        NaN where the measure does not vary. The unit stays that of the items as they are,
        whatever the weights.
    """
    return ols_slope(moments(counts, human, ratio)) * spread(ratio, human)


def spread(ratio: np.ndarray, human: np.ndarray) -> np.ndarray:
    """Give the standard deviation of the human measure over the items of each column.

    Parameters
    ----------
    ratio : ndarray of shape (n_items, k)
        NaN leaves an item out.
    human : ndarray of shape (n_items,)
        Human measure.

    Returns
    -------
    ndarray of shape (k,)
    """
    known = np.where(np.isnan(ratio), np.nan, human[:, None])
    n = (~np.isnan(known)).sum(axis=0)
    variance = np.nanvar(np.where(n > 1, known, 0.0), axis=0)
    return np.sqrt(variance * n / np.maximum(n - 1, 1))


def _task(found: PairedCosts, n_boot: int, rng: np.random.Generator) -> list[dict[str, Any]]:
    n_items = len(found.items)
    point = _fits(np.ones((1, n_items)), found)
    parts = [_fits(counts, found) for counts in resample_chunks(n_items, n_boot, rng)]
    draws = {name: np.vstack([part[name] for part in parts]) for name in point}
    common = found.common()
    rows = []
    for k, pair in enumerate(found.pairs.itertuples()):
        row = dict(study=found.study, task=found.task, relation=pair.relation, student=pair.student)
        row |= dict(reference=pair.reference, n=int(common[:, k].sum()))
        told = _zeros_and_constants(found.reference[common[:, k], k], found.student[common[:, k], k])
        for name, values in point.items():
            ends = percentile_interval(draws[name][:, k], n_items=row["n"] - told["n_zero"])
            row |= {name: values[0, k], f"{name}_low": float(ends.low), f"{name}_high": float(ends.high)}
        row |= told
        row |= {f"{name}_draws": np.log(draws[name][:, k]) for name in ("geometric", "change")}
        rows.append(row)
    return rows


def _zeros_and_constants(reference: np.ndarray, student: np.ndarray) -> dict[str, Any]:
    above = (reference > 0) & (student > 0)
    found: dict[str, Any] = {"n_zero": int((~above).sum()), "note": ""}
    if not above.any():
        return found | {"note": "no item costs both models more than zero"}
    spent = {"reference": reference[above], "student": student[above]}
    flat = [name for name, cost in spent.items() if np.ptp(cost) <= 1e-9 * cost.max()]
    if flat:
        found["note"] = f"all items cost the {' and the '.join(flat)} the same"
    if len(flat) == 2:
        # A ratio of two constants is constant whatever the law.
        found |= {"change_low": np.nan, "change_high": np.nan}
    return found


def _fits(counts: np.ndarray, found: PairedCosts) -> dict[str, np.ndarray]:
    ratio = positive_log(found.student) - positive_log(found.reference)
    fits = multipliers(counts, found.reference, found.student)
    return fits | {"change": np.exp(log_change(counts, ratio, found.human))}


def _judged(row: dict[str, Any]) -> dict[str, Any]:
    low, high, n = row["change_low"], row["change_high"], row["n"] - row["n_zero"]
    draws = row["change_draws"]
    error = 0.0 if np.isnan(draws).all() else max(end_errors(draws, n))
    found = law(low, high, n, error, row["ceiling"])
    interval = "95 % interval {} to {}"
    beginning = (
        f"In {row['study']} ({row['task']}, {n} items) {row['student']} spends {number(row['geometric'])} "
        f"times as much as {row['reference']} ({row['relation']}), "
        f"{interval.format(number(row['geometric_low']), number(row['geometric_high']))}; with every "
        f"standard deviation of difficulty the multiplier changes by a factor of {number(row['change'], 3)}, "
        f"{interval.format(number(low, 3), number(high, 3))}. "
    )
    return {
        "verdict": found["verdict"],
        "on_edge": found["on_edge"],
        "sentence": beginning + found["ending"],
    }
