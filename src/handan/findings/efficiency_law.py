"""Students' cost of a right answer on their baselines': the regression behind a multiplier.

Its points are pairs of models in tasks. There are few of them, and a line through the origin is
decided by the dearest: so the slope stands beside other fits, and beside what it is without
the point that moves it most. Its R², taken about 0 as for any line through the origin, is high
for any two costs that rise together; see `handan.findings.inflation_sim`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from handan.findings.inflation_pool import ANY_BASELINE, BASELINES
from handan.stats.bootstrap import resample_counts
from handan.stats.multiplier import multipliers
from handan.stats.percentile import percentile_interval

FEWEST_POINTS = 5
ALL_STUDIES = "all studies"
_FITS = ("through_origin", "slope", "intercept", "geometric", "loglog_ols", "loglog_deming")
COLUMNS = [
    *("study", "index", "relation", "n_points", "n_left_out", "n_pairs", "n_tasks"),
    *(f"{fit}{end}" for fit in _FITS for end in ("", "_low", "_high")),
    *("r2_origin", "r2", "influential", "without", "lowest", "highest", "note"),
]


def efficiency_law(points: pd.DataFrame, *, n_boot: int = 2_000, seed: int = 0) -> pd.DataFrame:
    """Fit students' index by a multiple of their baselines'.

    Parameters
    ----------
    points : DataFrame
        ``points`` of `handan.findings.efficiency.Efficiency`, of one study or several.
    n_boot, seed : int
        Bootstrap of points.

    Returns
    -------
    DataFrame
        A row per study × index × relation, ``any baseline`` where a study has both kinds, and
        ``all studies`` where there are several with the same index: ``n_points``, ``n_left_out``
        (without an index), ``n_pairs, n_tasks``; the fits of `handan.stats.multiplier.multipliers`
        with 95 % intervals, which need at least `FEWEST_POINTS`; ``r2_origin`` (about 0) and ``r2``
        (of the line with an intercept, about the mean); the most ``influential`` point, the
        slope through the origin ``without`` it, and ``lowest, highest`` over all such removals.

    Notes
    -----
    The interval takes points for independent draws. Points of one study share items, and points of
    one baseline share that: where they do, it is too short.
    """
    groups = _groups(points)
    rows = [
        dict(study=study, index=index, relation=relation) | _fitted(part, n_boot, seed)
        for study, index, relation, part in groups
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def _groups(points: pd.DataFrame) -> Iterator[tuple[str, str, str, pd.DataFrame]]:
    for (study, index), part in points.groupby(["study", "index"], sort=False):
        yield from ((str(study), str(index), name, rows) for name, rows in _relations(part))
    for index, part in points.groupby("index", sort=False):
        if len(part["study"].unique()) > 1:
            yield from ((ALL_STUDIES, str(index), name, rows) for name, rows in _relations(part))


def _relations(part: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    named = {str(name): rows for name, rows in part.groupby("relation", sort=False)}
    yield from named.items()
    if set(BASELINES) <= set(named):
        yield ANY_BASELINE, part


def _fitted(part: pd.DataFrame, n_boot: int, seed: int) -> dict[str, Any]:
    known = part[part["ratio"].notna()].reset_index(drop=True)
    row: dict[str, Any] = dict(n_points=len(known), n_left_out=len(part) - len(known))
    row |= dict(n_pairs=len(known[["student", "baseline"]].drop_duplicates()))
    row |= dict(n_tasks=len(known[["study", "task"]].drop_duplicates()), note="")
    if known.empty:
        return row | {"note": "no point has an index on both sides"}
    x, y = (known[side].to_numpy(float)[:, None] for side in ("x", "y"))
    point = multipliers(np.ones((1, len(known))), x, y)
    for fit in _FITS:
        # Two points are needed for a line, and three to say that it does not simply join them.
        joins = len(known) < 3 and fit not in ("through_origin", "geometric")
        row[fit] = np.nan if joins else float(point[fit][0, 0])
    row |= _r2(x[:, 0], y[:, 0]) | _influence(known, x, y)
    if len(known) < FEWEST_POINTS:
        return row | {"note": f"fewer than {FEWEST_POINTS} points: no interval"}
    draws = multipliers(resample_counts(len(known), n_boot, seed), x, y)
    for fit in _FITS:
        ends = percentile_interval(draws[fit][:, 0], n_items=len(known))
        row |= {f"{fit}_low": float(ends.low), f"{fit}_high": float(ends.high)}
    return row


def r2_about_zero(x: np.ndarray, y: np.ndarray) -> float:
    """R² of a line through the origin, about 0, as programs report it for such a line.

    Parameters
    ----------
    x, y : ndarray of shape (n,)
        Values without NaN.

    Returns
    -------
    float
        The squared cosine of the two; NaN where one of them is 0 throughout.
    """
    below = (x**2).sum() * (y**2).sum()
    return float((x * y).sum() ** 2 / below) if below > 0 else np.nan


def _r2(x: np.ndarray, y: np.ndarray) -> dict[str, float]:
    varies = len(x) > 2 and np.ptp(x) > 0 and np.ptp(y) > 0
    return dict(r2_origin=r2_about_zero(x, y), r2=float(np.corrcoef(x, y)[0, 1] ** 2) if varies else np.nan)


def _influence(known: pd.DataFrame, x: np.ndarray, y: np.ndarray) -> dict[str, Any]:
    if len(known) < 2:
        return {}
    slope = float((x * y).sum() / (x**2).sum())
    without = ((x * y).sum() - x * y)[:, 0] / ((x**2).sum() - x**2)[:, 0]
    furthest = int(np.abs(np.log(np.maximum(without, 1e-300) / slope)).argmax())
    one = known.iloc[furthest]
    name = f"{one['student']} in {one['task']}"
    return dict(influential=name, without=float(without[furthest])) | dict(
        lowest=float(without.min()), highest=float(without.max())
    )
