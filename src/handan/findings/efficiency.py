"""The inverse efficiency index: what a right answer costs.

Mean cost over accuracy (Townsend & Ashby, 1978, in Castellan & Restle (Eds.), Cognitive Theory 3;
1983, Stochastic Modeling of Elementary Psychological Processes). It was made for response
times and high accuracies; at low ones it grows without bound (Bruyer & Brysbaert, 2011,
doi:10.5334/pb-51-1-5). Third parties say that the paper regresses the index of students on that
of their baselines, and calls the slope a multiplier. Where a task has no graded answers the
plain mean cost stands in for the index, and the column ``index`` says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from handan.findings.efficiency_law import efficiency_law
from handan.findings.join import Joined, task_rng
from handan.findings.paired_costs import item_means, measured, truncated_shares
from handan.lineage import pairs
from handan.stats.bootstrap import resample_chunks
from handan.stats.percentile import percentile_interval
from handan.tables import check_costs

IEI, MEAN_COST = "IEI", "mean cost"
MODELS = [
    *("study", "task", "model", "role", "n", "n_ungraded", "mean_cost", "accuracy", "index"),
    *("value", "value_low", "value_high", "truncated_model", "note"),
]
POINTS = ["study", "task", "relation", "student", "baseline", "n", "index", "x", "y", "ratio", "note"]


@dataclass(frozen=True)
class Efficiency:
    """What a right answer costs, by model, and students beside their baselines.

    Attributes
    ----------
    models : DataFrame
        A row per study × task × model: ``role`` (missing where the lineage does not name the
        model), ``n`` items, ``n_ungraded`` (items without a grade, left out where the task has
        grades), ``mean_cost`` (tokens), ``accuracy``, ``index`` (``IEI`` or ``mean cost``), ``value`` with
        its 95 % item-bootstrap interval, ``truncated_model``, ``note``. The value is missing where
        nothing was right or nothing was graded.
    points : DataFrame
        A row per study × task × student × baseline: index of the baseline (``x``) and of the
        student (``y``) on their ``n`` common items, their ``ratio``, ``note``.
    law : DataFrame
        Students' index on their baselines' over the points; see
        `handan.findings.efficiency_law.efficiency_law`.
    """

    models: pd.DataFrame
    points: pd.DataFrame
    law: pd.DataFrame


class _Index(NamedTuple):
    """Each of shape (n_weights,)."""

    mean: np.ndarray
    accuracy: np.ndarray
    value: np.ndarray


class _Task(NamedTuple):
    study: str
    task: str
    spent: pd.DataFrame
    right: pd.DataFrame

    def graded(self) -> bool:
        """Whether any answer of the task was graded."""
        return bool(self.right.notna().to_numpy().any())

    def usable(self, *models: str) -> np.ndarray:
        """Mask of items with a cost, and a grade where the task has any, for all these models."""
        known = self.spent[list(models)].notna().to_numpy().all(axis=1)
        return known & self.right[list(models)].notna().to_numpy().all(axis=1) if self.graded() else known

    def price(self, model: str, known: np.ndarray, counts: np.ndarray) -> _Index:
        """Measure a model on the items of a mask, under counts of shape (n_weights, n_known)."""
        spent, right = (frame.loc[known, model].to_numpy(float) for frame in (self.spent, self.right))
        total = counts.sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = np.where(total > 0, (counts @ spent) / total, np.nan)
            if not self.graded():
                return _Index(mean, np.full(len(counts), np.nan), mean)
            accuracy = np.where(total > 0, (counts @ right) / total, np.nan)
            return _Index(mean, accuracy, np.where(accuracy > 0, mean / accuracy, np.nan))


def efficiency(
    joined: Joined,
    costs: pd.DataFrame,
    lineage: pd.DataFrame,
    *,
    cost: str = "reasoning_tokens",
    n_boot: int = 2_000,
    seed: int = 0,
) -> Efficiency:
    """Compute the inverse efficiency index of every model, and regress students' on their baselines'.

    Parameters
    ----------
    joined : Joined
        Costs beside norms: says which items count.
    costs : DataFrame
        The costs that were joined, with ``correct`` where answers were graded.
    lineage : DataFrame
        Says who the baselines are.
    cost : str
        The cost column.
    n_boot, seed : int
        Bootstrap of items for the index, of points for the law.

    Returns
    -------
    Efficiency

    Raises
    ------
    LookupError
        When the costs have no column `cost`.
    """
    roles = lineage.set_index("model")["role"]
    based = pairs(lineage, measured(joined, lineage), "transfer")
    models: list[dict[str, Any]] = []
    points: list[dict[str, Any]] = []
    for task in _tasks(joined, costs, cost):
        rng = task_rng(seed, task.study, task.task)
        models += _models(task, resample_chunks(len(task.spent), n_boot, rng))
        here = based[based[["a", "b"]].isin(task.spent.columns).all(axis=1)]
        points += [_point(task, pair.relation, pair.a, pair.b) for pair in here.itertuples()]
    table = pd.DataFrame(models)
    table["role"] = table["model"].map(roles)
    table = truncated_shares(table, costs, ("model",))[MODELS]
    both = pd.DataFrame(points, columns=POINTS)
    return Efficiency(table, both, efficiency_law(both, n_boot=n_boot, seed=seed))


def _tasks(joined: Joined, costs: pd.DataFrame, cost: str) -> Iterator[_Task]:
    means = item_means(costs, cost)
    right = item_means(check_costs(costs).astype({"correct": float}), "correct")
    for study, task, wide in joined.tasks():
        items = wide.index[wide["human"].notna()]
        spent = means.loc[(study, task)].reindex(items).dropna(axis=1, how="all")
        yield _Task(study, task, spent, right.loc[(study, task)].reindex(index=items, columns=spent.columns))


def _models(task: _Task, chunks: Iterator[np.ndarray]) -> list[dict[str, Any]]:
    known = {name: task.usable(name) for name in task.spent}
    drawn: dict[str, list[np.ndarray]] = {name: [] for name in known}
    for counts in chunks:
        for name, mask in known.items():
            drawn[name].append(task.price(name, mask, counts[:, mask]).value)
    rows = []
    for name, mask in known.items():
        n = int(mask.sum())
        mean, accuracy, value = (part[0] for part in task.price(name, mask, np.ones((1, n))))
        draws = np.concatenate(drawn[name])
        ends = percentile_interval(draws, n_items=n)
        row = dict(study=task.study, task=task.task, model=name, n=n, mean_cost=mean, accuracy=accuracy)
        row |= dict(n_ungraded=int(task.spent[name].notna().sum()) - n, index=_name(task), value=value)
        row |= dict(value_low=float(ends.low), value_high=float(ends.high))
        rows.append(row | {"note": _note(accuracy, n, task.graded(), float(np.isnan(draws).mean()))})
    return rows


def _point(task: _Task, relation: str, student: str, baseline: str) -> dict[str, Any]:
    known = task.usable(student, baseline)
    n = int(known.sum())
    found = {name: task.price(name, known, np.ones((1, n))) for name in (baseline, student)}
    x, y = (float(index.value[0]) for index in found.values())
    row: dict[str, Any] = dict(study=task.study, task=task.task, relation=relation)
    row |= dict(student=student, baseline=baseline)
    row |= dict(n=n, index=_name(task), x=x, y=y, ratio=y / x if x > 0 else np.nan)
    notes = {name: _note(index.accuracy[0], n, task.graded(), 0.0) for name, index in found.items()}
    return row | {"note": "; ".join(f"{name}: {told}" for name, told in notes.items() if told)}


def _name(task: _Task) -> str:
    return IEI if task.graded() else MEAN_COST


def _note(accuracy: float, n: int, graded: bool, lost: float) -> str:
    if n == 0:
        return "no item with a cost and a grade" if graded else "no item with a cost"
    if graded and accuracy == 0:
        return "no answer is right, so a right answer has no price"
    if lost > 0:
        return f"{100 * lost:.1f} % of resamples hold no right answer: the upper end is too low"
    return ""
