"""Do wrong answers cost more? The effect of an error on cost, with the item held constant.

Hard items cost more and are failed more often, so a raw difference between right and wrong
answers says nothing. arXiv:2606.26502 compares within items: its author reports that models
spend more when wrong and people less. A costs table allows two such comparisons.

- *across samples*: the same model, asked the same item again, once right and once wrong.
- *across models*: one model right and another wrong on the same item, less what each model
  spends on average (a regression with fixed effects of items and models).

A table of norms has one accuracy per item and no times of right and wrong trials, so nothing
of the kind can be said of people. What can be compared is *across items*: where more people
fail, do people take longer, and where more models fail, do models spend more?
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from handan.findings.specification_data import FloatArray, Task, tasks_of
from handan.lineage import roles_of

if TYPE_CHECKING:
    from handan.inputs import Inputs

PEOPLE, ALL = "people", "all models"
WAYS = ("across samples", "across models", "across items")
COLUMNS = [
    *("study", "group", "way", "n_models", "n_items", "n_traces", "n_wrong", "n_unjudged", "ratio"),
    *("low", "high", "note"),
]
_NO_CONTRAST = "no item has both right and wrong answers"
_CONFOUNDED = "errors go with models, so they can't be told apart"
_ONE_ITEM = "no interval: a single item holds the contrast"
_NOTHING = 1e-10


def wrong_answers(inputs: Inputs, lineage: pd.DataFrame) -> pd.DataFrame:
    """Compare the cost of wrong and right answers within items, by role.

    Parameters
    ----------
    inputs : Inputs
        The tables of one or several studies; the cost is ``inputs.cost``.
    lineage : DataFrame
        Gives the roles.

    Returns
    -------
    DataFrame
        `COLUMNS`, a row per study × group × way. ``ratio`` is what a wrong answer costs beside
        a right one (geometric mean), with its 95 % interval (jackknife over items, Student's
        t). *Across items* it is the cost of an item that all fail beside one that none
        fails; for people, of their time. ``n_items`` hold a contrast of right and wrong,
        ``n_unjudged`` are traces whose answer nobody judged; they take no part.
    """
    rows: list[dict[str, Any]] = []
    tasks = tasks_of(inputs, [inputs.cost])
    for study in dict.fromkeys(task.study for task in tasks):
        traces = pd.concat([_traces(task, inputs.cost) for task in tasks if task.study == study])
        traces["group"] = traces["model"].map(roles_of(traces["model"].unique(), lineage))
        for group, part in _groups(traces):
            rows += [{"study": study, "group": group, **row} for row in _ways(part)]
        items = traces[["task", "item"]].drop_duplicates()
        rows.append({"study": study, "group": PEOPLE, "way": WAYS[2], **_people(inputs.norms, items)})
    counts = dict.fromkeys(("n_models", "n_items", "n_traces", "n_wrong", "n_unjudged"), "Int64")
    return pd.DataFrame(rows, columns=COLUMNS).astype(counts)


def _traces(task: Task, cost: str) -> pd.DataFrame:
    item, model = np.divmod(task.cell, len(task.models))
    table = pd.DataFrame({"item": item, "model": np.array(task.models, dtype=object)[model]})
    table["item"] = np.array(task.items, dtype=object)[item]
    table = table.assign(task=task.task, log_cost=np.log(task.costs[cost]), wrong=1 - task.right)
    return table[table["log_cost"].notna()]


def _groups(traces: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    yield from ((str(name), part) for name, part in traces.groupby("group", sort=False))
    if len(traces["group"].unique()) > 1:
        yield ALL, traces


def _ways(traces: pd.DataFrame) -> Iterator[dict[str, Any]]:
    judged = traces[traces["wrong"].notna()]
    counts = dict(n_models=len(judged["model"].unique()), n_traces=len(judged))
    counts |= dict(n_wrong=int((judged["wrong"] > 0).sum()), n_unjudged=len(traces) - len(judged))
    for way in WAYS:
        row = {"way": way, **counts}
        if judged.empty:
            yield {**row, "n_items": 0, "note": "no record of right and wrong answers"}
        else:
            yield {**row, **_within(judged, way)}


def _within(traces: pd.DataFrame, way: str) -> dict[str, Any]:
    cluster = ["task", "item"]
    if way == "across samples":
        columns = _centred(traces, [*cluster, "model"], ["log_cost", "wrong"])
        return _ratio(columns[:, 0], columns[:, 1:], traces.groupby(cluster).ngroup().to_numpy())
    means = traces.groupby([*cluster, "model"], as_index=False)[["log_cost", "wrong"]].mean()
    if way == "across models":
        dummies = pd.get_dummies(means["model"], drop_first=True).astype(float)
        table = pd.concat([means, dummies.set_axis(range(dummies.shape[1]), axis=1)], axis=1)
        columns = _centred(table, cluster, ["log_cost", "wrong", *range(dummies.shape[1])])
        return _ratio(columns[:, 0], columns[:, 1:], means.groupby(cluster).ngroup().to_numpy())
    items = means.groupby(cluster, as_index=False)[["log_cost", "wrong"]].mean()
    columns = _centred(items, ["task"], ["log_cost", "wrong"])
    return _ratio(columns[:, 0], columns[:, 1:], np.arange(len(items)))


def _people(norms: pd.DataFrame, items: pd.DataFrame) -> dict[str, Any]:
    asked = items.merge(norms[["task", "item", "log_rt", "accuracy"]], on=["task", "item"])
    known = asked[asked["log_rt"].notna() & asked["accuracy"].notna()]
    counts = dict(n_unjudged=len(asked) - len(known), n_items=0)
    if known.empty:
        return {**counts, "note": "the norms have no times with accuracies"}
    table = known.assign(wrong=1 - known["accuracy"])
    columns = _centred(table, ["task"], ["log_rt", "wrong"])
    return {**counts, **_ratio(columns[:, 0], columns[:, 1:], np.arange(len(table)))}


def _centred(table: pd.DataFrame, by: list[str], columns: list[Any]) -> FloatArray:
    values = table[columns].astype(float)
    return (values - table.groupby(by)[columns].transform("mean")).to_numpy(dtype=float)


def _ratio(y: FloatArray, design: FloatArray, item: np.ndarray) -> dict[str, Any]:
    """Slope of y on the first column given the others, as a ratio, with its jackknife interval."""
    contrast = int((np.bincount(item, design[:, 0] ** 2) > _NOTHING).sum())
    if _unique_part(design) < _NOTHING:
        return {"n_items": contrast, "note": _CONFOUNDED if contrast else _NO_CONTRAST}
    slope, without = _slopes(y, design, item)
    if contrast < 2:
        return {"n_items": contrast, "ratio": float(np.exp(slope)), "note": _ONE_ITEM}
    reach = _reach(without, contrast)
    return {
        **{"n_items": contrast, "ratio": float(np.exp(slope)), "note": ""},
        **{"low": float(np.exp(slope - reach)), "high": float(np.exp(slope + reach))},
    }


def _unique_part(design: FloatArray) -> float:
    """Sum of squares of the first column that the others don't explain."""
    first, rest = design[:, 0], design[:, 1:]
    fitted = rest @ np.linalg.lstsq(rest, first, rcond=None)[0] if rest.size else 0.0
    return float(((first - fitted) ** 2).sum())


def _reach(without: FloatArray, contrast: int) -> float:
    """Half of the interval's length; its degrees of freedom count the items that hold a contrast."""
    from scipy.special import stdtrit

    n = len(without)
    error = np.sqrt((n - 1) / n * ((without - without.mean()) ** 2).sum())
    return float(error * stdtrit(contrast - 1, 0.975))


def _slopes(y: FloatArray, design: FloatArray, item: np.ndarray) -> tuple[float, FloatArray]:
    """First coefficient of a regression, and what it is without each item, exactly.

    With X the rows of an item, e its residuals and A the inverse of all products, leaving the
    item out moves the coefficients by A X' (I - X A X')^-1 e.
    """
    inverse = np.linalg.pinv(design.T @ design, hermitian=True)
    coefficients = inverse @ (design.T @ y)
    residuals = y - design @ coefficients
    order = np.argsort(item, kind="stable")
    cuts = np.flatnonzero(np.diff(item[order])) + 1
    moved = []
    for rows in np.split(order, cuts):
        inside = design[rows]
        rest = np.eye(len(rows)) - inside @ inverse @ inside.T
        # Singular where the item alone says what a model spends: then nothing is lost with it.
        share = np.linalg.lstsq(rest, residuals[rows], rcond=1e-10)[0]
        moved.append(inverse[0] @ (inside.T @ share))
    return float(coefficients[0]), coefficients[0] - np.array(moved)
