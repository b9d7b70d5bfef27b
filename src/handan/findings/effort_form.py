"""Is the form copied? A student's distance from its teacher beside its baseline's.

The rule was fixed before the numbers were seen, and goes by the sign alone: *supported* when
the whole 95 % interval of the difference (student minus baseline) lies below 0, *not
supported* when it lies above, *cannot tell* otherwise and always below `FEWEST` items, in a mean
over tasks those of the largest task. No smallest difference is used: nobody has published the
size of a copied form, and the claim is only that the student came nearer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from handan.findings.effort_distances import Resamples
from handan.findings.verdict import CANNOT_TELL, EDGE, FEWEST, NOT_SUPPORTED, SUPPORTED, enough
from handan.formats import number
from handan.stats.divergence import kl_divergence, wasserstein
from handan.stats.multiplier import positive_log
from handan.stats.percentile import end_errors, percentile_interval

_JUDGED = ["form", "form_low", "form_high", "shape", "shape_low", "shape_high"]
_DISTANCES = ["distance_student", "distance_baseline"]
_DIVERGENCES = ["kl_student", "kl_baseline"]
_NOTHING = "no item costs all three models more than zero"
COLUMNS = [
    *("study", "task", "relation", "teacher", "student", "baseline", "baseline_relation", "n", "n_zero"),
    *_DISTANCES,
    *_JUDGED,
    *_DIVERGENCES,
    *("verdict", "on_edge", "sentence", "note"),
]
POOLED = [
    *("study", "relation", "n_pairs", "n_tasks", "n_items", "largest"),
    *_DISTANCES,
    *_JUDGED,
    *_DIVERGENCES,
    *("verdict", "on_edge", "sentence", "note"),
]


def copied(
    low: float, high: float, n_items: int, errors: tuple[float, float] = (0.0, 0.0), n_tasks: int = 1
) -> dict[str, Any]:
    """Apply the rule to an interval of the difference of two distances.

    Parameters
    ----------
    low, high : float
        Ends of the 95 % interval of student minus baseline.
    n_items : int
        Items of the largest task behind it.
    errors : tuple of (float, float)
        Monte Carlo error of either end.
    n_tasks : int
        Tasks behind it, for the wording.

    Returns
    -------
    dict
        ``verdict``, ``on_edge`` and ``ending``, a sentence or two.

    Raises
    ------
    ValueError
        When the interval is upside down.
    """
    if low > high:
        raise ValueError(f"the interval is upside down: low {low:g} is above high {high:g}")
    found = CANNOT_TELL
    if n_items >= FEWEST and high < 0:
        found = SUPPORTED
    elif n_items >= FEWEST and low > 0:
        found = NOT_SUPPORTED
    on_edge = n_items >= FEWEST and bool(abs(low) < errors[0] or abs(high) < errors[1])
    return dict(
        verdict=found,
        on_edge=on_edge,
        ending=_ending(found, low, high, n_items, n_tasks) + (EDGE if on_edge else ""),
    )


def form_rows(
    pair: Mapping[str, Any],
    spent: pd.DataFrame,
    based: pd.DataFrame,
    edges: np.ndarray,
    resamples: Resamples,
) -> list[dict[str, Any]]:
    """Compare a student's distance from a teacher with that of each of its baselines.

    Parameters
    ----------
    pair : mapping
        ``study, task, relation, teacher, student``.
    spent : DataFrame
        Item mean costs, a column per model.
    based : DataFrame
        The student's baselines: ``b, relation``.
    edges : ndarray of shape (n_bins + 1,)
        Bins of ln cost.
    resamples : callable
        Yields resamples of the items of `spent`: ndarrays of shape (n_draws, n_items).

    Returns
    -------
    list of dict
        `COLUMNS` and the draws of the differences. On the items that all three models did:
        ``distance_student, distance_baseline`` (Wasserstein-1 of ln cost from the teacher),
        ``form``, the first minus the second, and ``shape``, the same difference after taking
        off every model's own mean; intervals from the item bootstrap; ``kl_student,
        kl_baseline`` (nats); verdict by `copied`.
    """
    rows = []
    for baseline in based.itertuples():
        costs = spent[[pair["teacher"], pair["student"], baseline.b]].to_numpy(float)
        known = ~np.isnan(costs).any(axis=1)
        logs = positive_log(costs[known])
        logs[np.isnan(logs).any(axis=1)] = np.nan
        n_zero = int(np.isnan(logs[:, 0]).sum())
        row = dict(pair) | dict(baseline=baseline.b, baseline_relation=baseline.relation)
        row |= dict(n=int(known.sum()), n_zero=n_zero, note="")
        if n_zero == len(logs):
            row["note"] = _NOTHING
        row |= _compared(logs, (counts[:, known] for counts in resamples()), edges)
        n = row["n"] - n_zero
        judged = _judge(row, n, n, 1)
        rows.append(row | judged | {"sentence": _named(row) + judged["ending"]})
    return rows


def pooled_form(trios: list[dict[str, Any]]) -> pd.DataFrame:
    """Average the differences over students, baselines and tasks, draw by draw.

    Parameters
    ----------
    trios : list of dict
        From `form_rows`, of all tasks.

    Returns
    -------
    DataFrame
        A row per study × relation of the teacher: ``n_pairs`` (student and baseline), ``n_tasks,
        n_items`` (items where all three costs are above zero, summed over tasks, and in the
        ``largest``, by which the verdict goes), means of the distances, ``form`` and ``shape``
        with their intervals, ``kl_student, kl_baseline``, ``verdict, on_edge, sentence``;
        ``note`` says which rows have too few items for the mean (`handan.findings.verdict.enough`).
    """
    if not trios:
        return pd.DataFrame(columns=POOLED)
    rows = [
        _pooled(str(study), str(relation), part)
        for (study, relation), part in pd.DataFrame(trios).groupby(["study", "relation"], sort=False)
    ]
    return pd.DataFrame(rows, columns=POOLED)


def _pooled(study: str, relation: str, every: pd.DataFrame) -> dict[str, Any]:
    every = every.assign(above=every["n"] - every["n_zero"])
    known = every[every["form"].notna()]
    part = known[enough(known["above"])]
    row: dict[str, Any] = dict(study=study, relation=relation, n_tasks=part["task"].nunique())
    row["n_pairs"] = len(part[["student", "baseline"]].drop_duplicates())
    row["n_items"] = int(part.groupby("task")["above"].max().sum())
    row["largest"] = int(part["above"].max()) if len(part) else 0
    row |= part[[*_DISTANCES, "form", "shape", *_DIVERGENCES]].mean().to_dict()
    for name in ("form", "shape"):
        draws = np.mean(np.stack(part[f"{name}_draws"].tolist()), axis=0) if len(part) else np.array([np.nan])
        row |= _interval(name, draws, row["n_items"], row["n_tasks"])
    judged = _judge(row, row["largest"], row["n_items"], row["n_tasks"])
    row["sentence"] = _pooled_name(row) + judged["ending"]
    return row | judged | {"note": _left_out(len(every), len(known), len(part))}


def _left_out(n_rows: int, n_known: int, n_pooled: int) -> str:
    reasons = {
        "no item with all three costs above zero": n_rows - n_known,
        f"fewer than {FEWEST} items": n_known - n_pooled,
    }
    return "; ".join(f"{n} of {n_rows} rows left out: {why}" for why, n in reasons.items() if n)


def _compared(logs: np.ndarray, chunks: Iterator[np.ndarray], edges: np.ndarray) -> dict[str, Any]:
    x, y = logs[:, [1, 2]], logs[:, [0, 0]]
    once = np.ones((1, len(logs)), dtype=np.int64)
    found = wasserstein(once, x, y)
    draws = np.concatenate([wasserstein(counts, x, y) for counts in chunks], axis=1)
    row: dict[str, Any] = dict(zip(_DISTANCES, found.distance[0], strict=True))
    n = int((~np.isnan(logs[:, 0])).sum())
    for name, apart, drawn in zip(("form", "shape"), found, draws, strict=True):
        row |= {name: apart[0, 0] - apart[0, 1]} | _interval(name, drawn[:, 0] - drawn[:, 1], n)
    return row | dict(zip(_DIVERGENCES, kl_divergence(once, x, y, edges)[0], strict=True))


def _interval(name: str, draws: np.ndarray, n_items: int, n_tasks: int = 1) -> dict[str, Any]:
    ends = percentile_interval(draws, n_items=n_items, n_tasks=n_tasks)
    return {f"{name}_low": float(ends.low), f"{name}_high": float(ends.high), f"{name}_draws": draws}


def _judge(row: Mapping[str, Any], largest: int, n_items: int, n_tasks: int) -> dict[str, Any]:
    draws = row["form_draws"]
    errors = (0.0, 0.0) if np.isnan(draws).all() else end_errors(draws, n_items, n_tasks)
    return copied(row["form_low"], row["form_high"], largest, errors, n_tasks)


def _named(row: Mapping[str, Any]) -> str:
    return (
        f"In {row['study']} ({row['task']}, {row['n'] - row['n_zero']} items) the costs of {row['student']} "
        f"lie {number(row['distance_student'])} from those of {row['teacher']} ({row['relation']}), "
        f"those of {row['baseline']} ({row['baseline_relation']}) {number(row['distance_baseline'])}"
        f"{_difference(row)}"
    )


def _pooled_name(row: Mapping[str, Any]) -> str:
    pairs = "1 pair" if row["n_pairs"] == 1 else f"{row['n_pairs']} pairs"
    tasks = "" if row["n_tasks"] < 2 else f"{row['n_tasks']} tasks, "
    return (
        f"In {row['study']} ({row['relation']}, {pairs}, {tasks}{row['n_items']} items) the costs of "
        f"students lie {number(row['distance_student'])} from a teacher's on average, those of their "
        f"baselines {number(row['distance_baseline'])}{_difference(row)}"
    )


def _difference(row: Mapping[str, Any]) -> str:
    return (
        f" (Wasserstein-1, ln cost): a difference of {number(row['form'])}, 95 % interval "
        f"{number(row['form_low'])} to {number(row['form_high'])}. "
    )


def _ending(found: str, low: float, high: float, n_items: int, n_tasks: int) -> str:
    if not (np.isfinite(low) and np.isfinite(high)):
        return "Whether the form is copied cannot be told here: the difference has no interval."
    if n_items < FEWEST:
        tasks = " in every task" if n_tasks > 1 else ""
        return f"Whether the form is copied cannot be told here: fewer than {FEWEST} items{tasks}."
    if found == SUPPORTED:
        return "That the form is copied is supported here: the student came nearer to its teacher."
    if found == NOT_SUPPORTED:
        return "That the form is copied is not supported here: the baseline lies nearer to the teacher."
    return "Whether the form is copied cannot be told here: the interval contains 0."
