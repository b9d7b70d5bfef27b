"""The inflation law: a student's tokens as a multiple of its teacher's.

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

from typing import Any

import numpy as np
import pandas as pd

from handan.findings.constancy import law
from handan.findings.contrast import end_errors, placed
from handan.findings.join import Joined, ceilings, task_rng
from handan.formats import number
from handan.lineage import pairs
from handan.stats.bootstrap import percentile_interval, resample_chunks
from handan.stats.multiplier import moments, multipliers, ols_slope, positive_log
from handan.tables import check_costs

RELATIONS = ("own teacher", "true base", "instruct sibling")


def inflation(
    joined: Joined,
    costs: pd.DataFrame,
    lineage: pd.DataFrame,
    reliability: pd.DataFrame | None = None,
    *,
    cost: str = "reasoning_tokens",
    n_boot: int = 10_000,
    seed: int = 0,
) -> pd.DataFrame:
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
    DataFrame
        A row per study × task × student × reference; ``relation`` says which. ``n`` common
        items, ``n_zero`` of them with a cost of zero on a side (no part in logs); the fits of
        `handan.stats.multiplier.multipliers` and ``change``, each with its 95 % interval
        (``_low, _high``); ``ceiling``; ``truncated_student, truncated_reference``, shares of
        traces that were cut (their costs are lower bounds); ``verdict``, ``on_edge``,
        ``sentence`` and ``note``. ``change`` has no interval where neither model's cost varies.
        Without a pair there are no rows.

    Raises
    ------
    LookupError
        When the costs have no column `cost`.
    """
    means = item_means(costs, cost)
    found = _pairs(lineage, placed(joined, lineage)[0])
    rows: list[dict[str, Any]] = []
    for study, task, wide in joined.tasks():
        spent = means.loc[(study, task)].reindex(wide.index).dropna(axis=1, how="all")
        here = found[found["student"].isin(spent.columns) & found["reference"].isin(spent.columns)]
        if not here.empty:
            rng = task_rng(seed, study, task)
            rows += _task(study, task, spent, wide["human"].to_numpy(float), here, n_boot, rng)
    if not rows:
        return pd.DataFrame(columns=["study", "task", "relation", "student", "reference"])
    table = pd.DataFrame(rows)
    table["ceiling"] = ceilings(table, reliability)
    return _with_truncation(table, costs)


def item_means(costs: pd.DataFrame, cost: str = "reasoning_tokens") -> pd.DataFrame:
    """Average the cost of every item over its samples.

    Failed requests and missing costs have no part in it; zeros have.

    Parameters
    ----------
    costs : DataFrame
        See `handan.tables`.
    cost : str
        The cost column.

    Returns
    -------
    DataFrame
        Indexed by study, task and item; a column per model, NaN where it was not measured.

    Raises
    ------
    LookupError
        When there is no such column.
    """
    table = check_costs(costs)
    if cost not in table:
        raise LookupError(f"the costs table has no column {cost!r}; it has: {', '.join(map(str, table))}")
    usable = table[(table["stop"] != "error").fillna(True)]
    return usable.groupby(["study", "task", "item", "model"])[cost].mean().unstack("model")


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
    known = np.where(np.isnan(ratio), np.nan, human[:, None])
    usable = ~np.isnan(known)
    n = usable.sum(axis=0)
    spread = np.nanvar(np.where(n > 1, known, 0.0), axis=0)
    unit = np.sqrt(spread * n / np.maximum(n - 1, 1))
    return ols_slope(moments(counts, human, ratio)) * unit


def _pairs(lineage: pd.DataFrame, models: list[str]) -> pd.DataFrame:
    taught = pairs(lineage, models, "collapse").rename(columns={"a": "reference", "b": "student"})
    based = pairs(lineage, models, "transfer").rename(columns={"a": "student", "b": "reference"})
    both = pd.concat([taught, based], ignore_index=True)
    return both[both["relation"].isin(RELATIONS)].reset_index(drop=True)


def _task(
    study: str, task: str, spent: pd.DataFrame, human: np.ndarray, found: pd.DataFrame, n_boot: int,
    rng: np.random.Generator,
) -> list[dict[str, Any]]:  # fmt: skip
    reference, student = (spent[found[side].tolist()].to_numpy(float) for side in ("reference", "student"))
    human_known = ~np.isnan(human)[:, None]
    common = human_known & ~np.isnan(reference) & ~np.isnan(student)
    reference, student = np.where(common, reference, np.nan), np.where(common, student, np.nan)
    point = _fits(np.ones((1, len(human))), reference, student, human)
    parts = [_fits(counts, reference, student, human) for counts in resample_chunks(len(human), n_boot, rng)]
    draws = {name: np.vstack([part[name] for part in parts]) for name in point}
    rows = []
    for k, pair in enumerate(found.itertuples()):
        row = dict(study=study, task=task, relation=pair.relation, student=pair.student)
        row |= dict(reference=pair.reference, n=int(common[:, k].sum()))
        for name, values in point.items():
            ends = percentile_interval(draws[name][:, k])
            row |= {name: values[0, k], f"{name}_low": float(ends.low), f"{name}_high": float(ends.high)}
        row |= _zeros_and_constants(reference[common[:, k], k], student[common[:, k], k])
        rows.append(row | _judged(row, draws["change"][:, k]))
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


def _fits(
    counts: np.ndarray, reference: np.ndarray, student: np.ndarray, human: np.ndarray
) -> dict[str, np.ndarray]:
    ratio = positive_log(student) - positive_log(reference)
    return multipliers(counts, reference, student) | {"change": np.exp(log_change(counts, ratio, human))}


def _judged(row: dict[str, Any], draws: np.ndarray) -> dict[str, Any]:
    low, high, n = row["change_low"], row["change_high"], row["n"] - row["n_zero"]
    error = 0.0 if np.isnan(draws).all() else max(end_errors(np.log(draws)))
    found = law(low, high, n, error)
    interval = "95 % interval {} to {}"
    beginning = (
        f"In {row['study']} ({row['task']}, {n} items) {row['student']} spends {number(row['geometric'])} "
        f"times as many tokens as {row['reference']} ({row['relation']}), "
        f"{interval.format(number(row['geometric_low']), number(row['geometric_high']))}; with every "
        f"standard deviation of difficulty the multiplier changes by a factor of {number(row['change'], 3)}, "
        f"{interval.format(number(low, 3), number(high, 3))}. "
    )
    return {
        "verdict": found["verdict"],
        "on_edge": found["on_edge"],
        "sentence": beginning + found["ending"],
    }


def _with_truncation(table: pd.DataFrame, costs: pd.DataFrame) -> pd.DataFrame:
    known = check_costs(costs).dropna(subset=["stop"])
    keys = ["study", "task", "model"]
    share = (known["stop"] == "length").astype("float64").groupby([known[key] for key in keys]).mean()
    for side in ("student", "reference"):
        names = ["study", "task", side]
        table = table.join(share.rename(f"truncated_{side}").rename_axis(names), on=names)
    return table
