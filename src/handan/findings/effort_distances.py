"""How far the costs of one student lie from those of one teacher, with intervals."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from handan.stats.divergence import BINS, kl_divergence, swapped, wasserstein
from handan.stats.multiplier import positive_log
from handan.stats.percentile import percentile_interval

# Gives the same resamples of a task's items, as counts, every time.
Resamples = Callable[[], Iterator[np.ndarray]]
_FIELD = {"wasserstein": "distance", "shape": "shape"}


def distance_columns(
    teacher: pd.Series,
    student: pd.Series,
    edges: dict[int, np.ndarray],
    resamples: Resamples,
    rng: np.random.Generator,
) -> dict[str, Any]:
    """Measure how far a student's costs lie from its teacher's.

    Parameters
    ----------
    teacher, student : Series of length n_items
        Item mean costs; NaN where there is none.
    edges : dict of int to ndarray
        Edges of the bins of ln cost, by their number: `BINS`, half and twice as many.
    resamples : callable
        Yields resamples of the items: ndarrays of shape (n_draws, n_items).
    rng : Generator
        For the level of chance.

    Returns
    -------
    dict
        Columns of ``distances`` in `handan.findings.effort.Effort` from ``n`` on.
    """
    both = np.column_stack([student, teacher]).astype(float)
    known = ~np.isnan(both).any(axis=1)
    both = both[known]
    logs = positive_log(both)
    logs[np.isnan(logs).any(axis=1)] = np.nan
    parts = [
        _apart(counts[:, known], logs, edges) | {"sums": counts[:, known] @ both} for counts in resamples()
    ]
    n_zero = int(np.isnan(logs[:, 0]).sum())
    row: dict[str, Any] = dict(n=len(both), n_zero=n_zero)
    once = np.ones((1, len(both)), dtype=np.int64)
    for name, value in _apart(once, logs, edges).items():
        draws = np.vstack([part[name] for part in parts])[:, 0]
        chance = _chance(name, logs, edges, rng)
        row |= _interval(name, float(value[0, 0]), draws, chance, len(both) - n_zero)
    for n, name in ((BINS // 2, "kl_half_bins"), (2 * BINS, "kl_twice_bins")):
        row[name] = kl_divergence(once, logs[:, [0]], logs[:, [1]], edges[n])[0, 0]
    row |= _mean_effort(both.sum(axis=0), np.vstack([part["sums"] for part in parts]), len(both))
    return row | {"note": _note(len(both), n_zero)}


def _apart(counts: np.ndarray, logs: np.ndarray, edges: dict[int, np.ndarray]) -> dict[str, np.ndarray]:
    """Distances of the first half of the columns from the second, each of shape (n_draws, k)."""
    x, y = np.hsplit(logs, 2)
    found = wasserstein(counts, x, y)
    kl = kl_divergence(counts, x, y, edges[BINS])
    return {"wasserstein": found.distance, "shape": found.shape, "kl": kl}


def _chance(
    name: str, logs: np.ndarray, edges: dict[int, np.ndarray], rng: np.random.Generator
) -> np.ndarray:
    if name == "kl":
        return swapped(partial(kl_divergence, edges=edges[BINS]), logs[:, 0], logs[:, 1], rng)
    if name == "shape" and not np.isnan(logs).all():
        logs = logs - np.nanmean(logs, axis=0)
    return swapped(lambda *given: getattr(wasserstein(*given), _FIELD[name]), logs[:, 0], logs[:, 1], rng)


def _interval(
    name: str, value: float, draws: np.ndarray, chance: np.ndarray, n_items: int
) -> dict[str, float]:
    """Percentile interval without the bootstrap's bias, down to 0 where chance reaches the estimate."""
    ends = percentile_interval(draws, n_items=n_items)
    if np.isnan(value):
        low = high = level = np.nan
    else:
        bias = float(np.nanmean(draws)) - value
        low, high, level = float(ends.low) - bias, float(ends.high) - bias, float(chance.mean())
        low = 0.0 if value <= np.quantile(chance, 0.975) else max(low, 0.0)
    return {name: value, f"{name}_low": low, f"{name}_high": max(high, value), f"{name}_chance": level}


def _mean_effort(point: np.ndarray, draws: np.ndarray, n_items: int) -> dict[str, float]:
    sums = np.vstack([point, draws])
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.where(sums[:, 1] > 0, sums[:, 0] / sums[:, 1], np.nan)
    ends = percentile_interval(ratio[1:], n_items=n_items)
    return dict(effort=float(ratio[0]), effort_low=float(ends.low), effort_high=float(ends.high))


def _note(n: int, n_zero: int) -> str:
    if n == 0:
        return "teacher and student have no item in common"
    return "no item costs both models more than zero" if n == n_zero else ""
