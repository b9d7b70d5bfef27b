"""Across tasks: one r over equal samples of every task's items, as published and with an interval."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from handan.findings.join import Joined, task_rng
from handan.stats.percentile import percentile_interval

COLUMNS = ["study", "model", "n_tasks", "n_items", "r", "low", "high"]


def across(joined: Joined, *, per_task: int = 20, n_boot: int = 2_000, seed: int = 0) -> pd.DataFrame:
    """Pool equal samples of every task and correlate log cost with the human measure.

    Each draw takes `per_task` items of every task with replacement, so that the spread over
    draws is that of a study with so many items per task. `cross_task`
    draws without replacement, as the published figure does; its mean over draws is the estimate
    to compare with the figure, this function's interval says how far items alone can move it.

    Parameters
    ----------
    joined : Joined
        Costs beside norms.
    per_task : int
        Items per task and draw; a task with fewer gives as many as it has.
    n_boot, seed : int
        Draws, and their seed.

    Returns
    -------
    DataFrame
        `COLUMNS`, a row per study × model that did at least two tasks: ``r``, the mean over
        draws of ``n_items``, with the 95 % percentile interval. Other models have no row.
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
        counts = dict(n_tasks=len(tasks), n_items=sum(len(part[0][0]) for part in drawn))
        point = float(np.nanmean(r)) if np.isfinite(r).any() else np.nan
        rows.append(
            dict(study=study, model=model, **counts, r=point, low=float(ends.low), high=float(ends.high))
        )
    return pd.DataFrame(rows, columns=COLUMNS)


def cross_task(
    joined: Joined, *, per_task: int = 20, n_draws: int = 50, task_rows: Mapping[str, int] | None = None
) -> pd.DataFrame:
    """Correlate across tasks, as de Varda et al. (2025) do: pool equal samples of every task.

    Each draw takes `per_task` items of each task without replacement, with the draw's
    number as the seed, pools them, and correlates log cost with log RT.

    Parameters
    ----------
    joined : Joined
        Costs beside norms, at least two tasks.
    per_task : int
        Items per task and draw; a task with fewer gives all it has.
    n_draws : int
        Number of draws.
    task_rows : mapping of str to int, optional
        Length of a task's original table where items are row numbers of it and rows
        may be missing here. Draws are then made over the original rows.

    Returns
    -------
    DataFrame
        ``study, model, n_tasks, n_items, mean_r, sd_r, min_r, max_r`` over draws.

    Raises
    ------
    ValueError
        When a study has fewer than two tasks.
    """
    rows = []
    for (study, model), part in joined.rows.groupby(["study", "model"], sort=False):
        tasks = {str(task): items for task, items in part.groupby("task", sort=False)}
        if len(tasks) < 2:
            raise ValueError(f"{model} in {study} has one task only ({next(iter(tasks))}); nothing to pool")
        draws = [_pooled_r(tasks, per_task, seed, task_rows or {}) for seed in range(n_draws)]
        r = np.array([draw[0] for draw in draws])
        rows.append(
            dict(study=study, model=model, n_tasks=len(tasks), n_items=draws[0][1], mean_r=r.mean())
            | dict(sd_r=r.std(ddof=1), min_r=r.min(), max_r=r.max())
        )
    return pd.DataFrame(rows)


def _drawn(items: pd.DataFrame, per_task: int, n_boot: int, rng: np.random.Generator) -> np.ndarray:
    """Costs and human measures of the drawn items, shape (2, n_boot, per_task)."""
    places = rng.integers(0, len(items), size=(n_boot, min(per_task, len(items))))
    return np.stack([items[name].to_numpy(float)[places] for name in ("log_cost", "human")])


def _correlations(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    # Equal values may miss their mean by a rounding error, which is no variance.
    varies = (np.ptp(x, axis=1) > 0) & (np.ptp(y, axis=1) > 0)
    x, y = (values - values.mean(axis=1, keepdims=True) for values in (x, y))
    scale = np.sqrt((x**2).sum(axis=1) * (y**2).sum(axis=1))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(varies, (x * y).sum(axis=1) / scale, np.nan)


def _pooled_r(
    tasks: Mapping[str, pd.DataFrame], per_task: int, seed: int, task_rows: Mapping[str, int]
) -> tuple[float, int]:
    parts = []
    for name, items in tasks.items():
        if name in task_rows:
            drawn = pd.Series(range(task_rows[name])).sample(
                min(per_task, task_rows[name]), random_state=seed
            )
            parts.append(items[items["item"].isin(drawn.astype(str))])
        else:
            parts.append(items.sample(min(per_task, len(items)), random_state=seed))
    pooled = pd.concat(parts)
    return float(pooled["log_cost"].corr(pooled["human"])), len(pooled)
