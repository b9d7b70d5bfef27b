"""Across tasks, with an interval: one r over equal samples of every task's items."""

from __future__ import annotations

import numpy as np
import pandas as pd

from handan.findings.join import Joined, task_rng
from handan.stats.bootstrap import percentile_interval

COLUMNS = ["study", "model", "n_tasks", "n_items", "r", "low", "high"]


def across(joined: Joined, *, per_task: int = 20, n_boot: int = 2_000, seed: int = 0) -> pd.DataFrame:
    """Pool equal samples of every task and correlate log cost with the human measure.

    Each draw takes `per_task` items of every task with replacement, so that the spread over
    draws is that of a study with so many items per task. `handan.findings.alignment.cross_task`
    draws without replacement, as the published figure does; its mean over draws is the estimate
    to compare with the figure, this function's interval says how far items alone can move it.

    Parameters
    ----------
    joined : Joined
        Costs beside norms.
    per_task : int
        Items per task and draw.
    n_boot, seed : int
        Draws, and their seed.

    Returns
    -------
    DataFrame
        `COLUMNS`, a row per study × model that did at least two tasks: ``r``, the mean over
        draws, with the 95 % percentile interval. Other models have no row.
    """
    rows = []
    for (study, model), part in joined.rows.groupby(["study", "model"], sort=False):
        tasks = [(str(task), items) for task, items in part.groupby("task", sort=False)]
        if len(tasks) < 2:
            continue
        drawn = [_drawn(items, per_task, n_boot, task_rng(seed, str(study), task)) for task, items in tasks]
        pooled = np.concatenate(drawn, axis=2)
        r = _correlations(pooled[0], pooled[1])
        ends = percentile_interval(r)
        counts = dict(n_tasks=len(tasks), n_items=per_task * len(tasks))
        point = float(np.nanmean(r)) if np.isfinite(r).any() else np.nan
        rows.append(
            dict(study=study, model=model, **counts, r=point, low=float(ends.low), high=float(ends.high))
        )
    return pd.DataFrame(rows, columns=COLUMNS)


def _drawn(items: pd.DataFrame, per_task: int, n_boot: int, rng: np.random.Generator) -> np.ndarray:
    """Costs and human measures of the drawn items, shape (2, n_boot, per_task)."""
    places = rng.integers(0, len(items), size=(n_boot, per_task))
    return np.stack([items[name].to_numpy(float)[places] for name in ("log_cost", "human")])


def _correlations(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    # Equal values may miss their mean by a rounding error, which is no variance.
    varies = (np.ptp(x, axis=1) > 0) & (np.ptp(y, axis=1) > 0)
    x, y = (values - values.mean(axis=1, keepdims=True) for values in (x, y))
    scale = np.sqrt((x**2).sum(axis=1) * (y**2).sum(axis=1))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(varies, (x * y).sum(axis=1) / scale, np.nan)
