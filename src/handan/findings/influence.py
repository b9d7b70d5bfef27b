"""Leave one out: whether a multiplier hangs on a single item, or on a single pair of models.

Every estimate is computed again without each of the items in turn, and the pooled ones also
without each of the pairs. This is exact and costs no more than the estimate itself, since
sums need only lose one term.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from handan.findings.inflation import spread
from handan.findings.inflation_pool import ANY_BASELINE, BASELINES
from handan.findings.join import Joined
from handan.findings.paired_costs import PairedCosts, paired_costs
from handan.stats.multiplier import positive_log

_FOUND = ["estimate", "value", "left_out", "without", "factor", "lowest", "highest", "note"]
ITEMS = ["study", "task", "relation", "student", "reference", "n", *_FOUND]
POOLED = ["study", "relation", "n_pairs", "unit", *_FOUND]


@dataclass(frozen=True)
class Influence:
    """What single items and pairs do to the multipliers.

    Attributes
    ----------
    items : DataFrame
        A row per pair × ``estimate`` (``through_origin``, ``multiplier``, ``change``): its ``value`` on
        ``n`` items, the item whose removal moves it most (``left_out``), the estimate ``without`` it
        and by what ``factor`` that differs; ``lowest, highest`` over all removals; ``note``.
    pooled : DataFrame
        A row per study × relation × estimate (``multiplier``, ``change``, geometric means over pairs
        and tasks) × ``unit`` (``item``, removed from all pairs at once, or ``pair``), as above.
    """

    items: pd.DataFrame
    pooled: pd.DataFrame


def influence(
    joined: Joined, costs: pd.DataFrame, lineage: pd.DataFrame, *, cost: str = "reasoning_tokens"
) -> Influence:
    """Leave out every item and every pair, and see how far the multipliers move.

    Parameters
    ----------
    joined, costs, lineage, cost
        As in `handan.findings.inflation.measure`, whose estimates these are.

    Returns
    -------
    Influence
        Empty tables where no student has a teacher or a baseline.

    Raises
    ------
    LookupError
        When the costs have no column `cost`.
    """
    rows: list[dict[str, Any]] = []
    logs: list[dict[str, Any]] = []
    for found in paired_costs(joined, costs, lineage, cost):
        values, without = _leave_one_out(found)
        for k, pair in enumerate(found.pairs.itertuples()):
            name = dict(study=found.study, task=found.task, relation=pair.relation)
            name |= dict(student=pair.student, reference=pair.reference)
            n = int(found.common()[:, k].sum())
            for estimate, value in values.items():
                moved = _moved(estimate, value[k], without[estimate][:, k], found.items)
                rows.append(name | dict(n=n) | moved)
                logs.append(name | dict(estimate=estimate, value=value[k], items=found.items))
                logs[-1]["without"] = without[estimate][:, k]
    return Influence(pd.DataFrame(rows, columns=ITEMS), _pooled(logs))


def _leave_one_out(found: PairedCosts) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Give logs of the estimates (k,), and of what they are without each item (n_items, k)."""
    ratio = positive_log(found.student) - positive_log(found.reference)
    whole, rest = _ratio(found.reference * found.student, found.reference**2)
    one = np.where(np.isnan(ratio), np.nan, 1.0)
    both = {
        "through_origin": (positive_log(whole), positive_log(rest)),
        "multiplier": _ratio(ratio, one),
        "change": _slope(ratio, found.human),
    }
    return {name: pair[0] for name, pair in both.items()}, {name: pair[1] for name, pair in both.items()}


def _ratio(above: np.ndarray, below: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ratio of two sums, and that without each term; a missing term has no part."""
    top, bottom = np.nan_to_num(above), np.nan_to_num(below)
    total, base = top.sum(axis=0), bottom.sum(axis=0)
    rest = base - bottom
    # What is left of a sum after its only term was taken off is rounding.
    rest = np.where(rest <= 1e-12 * base, np.nan, rest)
    return total / np.where(base > 0, base, np.nan), (total - top) / rest


def _slope(ratio: np.ndarray, human: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Slope per standard deviation of the measure, and that without each item; the unit stays."""
    known = ~np.isnan(ratio)
    n = known.sum(axis=0)
    x = np.where(known, human[:, None], 0.0)
    x = np.where(known, x - x.sum(axis=0) / np.maximum(n, 1), 0.0)
    y = np.where(known, ratio - np.where(known, ratio, 0.0).sum(axis=0) / np.maximum(n, 1), 0.0)
    # Taking an item off a mean moves the mean too: hence the factor n / (n - 1).
    shrunk = np.where(known, n / np.maximum(n - 1, 1), 0.0)
    sxy, sxx = (x * y).sum(axis=0), (x**2).sum(axis=0)
    rest = sxx - shrunk * x**2
    rest = np.where(rest <= 1e-12 * sxx, np.nan, rest)
    unit = spread(ratio, human)
    return unit * sxy / np.where(sxx > 0, sxx, np.nan), unit * (sxy - shrunk * x * y) / rest


def _moved(estimate: str, value: float, without: np.ndarray, names: pd.Index) -> dict[str, Any]:
    """Turn logs into the columns of a row."""
    row: dict[str, Any] = dict(estimate=estimate, value=float(np.exp(value)), left_out=None, note="")
    row |= dict.fromkeys(("without", "factor", "lowest", "highest"), np.nan)
    known = ~np.isnan(without)
    if np.isnan(value) or not known.any():
        return row | {"note": "there is no estimate" if np.isnan(value) else "nothing is left without one"}
    furthest = int(np.nanargmax(np.where(known, np.abs(without - value), -1.0)))
    row |= dict(left_out=names[furthest], without=float(np.exp(without[furthest])))
    row |= dict(factor=float(np.exp(without[furthest] - value)))
    lowest, highest = float(np.exp(np.nanmin(without))), float(np.exp(np.nanmax(without)))
    unknown = "" if known.all() else f"without {int((~known).sum())} of them there is no estimate"
    return row | dict(lowest=lowest, highest=highest, note=unknown)


def _pooled(logs: list[dict[str, Any]]) -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    table = pd.DataFrame(logs, columns=[*ITEMS[:5], "estimate", "value", "items", "without"])
    table = table[table["value"].notna() & (table["estimate"] != "through_origin")]
    for study, part in table.groupby("study", sort=False):
        relations = dict(list(part.groupby("relation", sort=False)))
        if set(BASELINES) <= set(relations):
            relations[ANY_BASELINE] = part[part["relation"].isin(BASELINES)]
        for relation, group in relations.items():
            for estimate, here in group.groupby("estimate", sort=False):
                name = dict(study=study, relation=relation)
                name["n_pairs"] = len(here[["student", "reference"]].drop_duplicates())
                rows += [name | dict(unit="item") | _without_items(str(estimate), here)]
                rows += [name | dict(unit="pair") | _without_pairs(str(estimate), here)]
    return pd.DataFrame(rows, columns=POOLED)


def _without_items(estimate: str, here: pd.DataFrame) -> dict[str, Any]:
    value = here["value"].mean()
    labels, moved = [], []
    for task, rows in here.groupby("task", sort=False):
        steps = np.stack(rows["without"].tolist()) - rows["value"].to_numpy(float)[:, None]
        moved.append(value + steps.sum(axis=0) / len(here))
        labels += [f"{task} / {item}" for item in rows["items"].iloc[0]]
    return _moved(estimate, value, np.concatenate(moved), pd.Index(labels))


def _without_pairs(estimate: str, here: pd.DataFrame) -> dict[str, Any]:
    pair = here["student"].astype(str) + " / " + here["reference"].astype(str)
    names = pd.Index(pair.unique())
    left = np.array([here.loc[pair != name, "value"].mean() for name in names])
    return _moved(estimate, here["value"].mean(), left, names)
