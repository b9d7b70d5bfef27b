"""Numbers that were printed, recomputed from what is public."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from handan.formats import number

COLUMNS = ["check", "printed", "recomputed", "agrees", "note"]

# Quoted for the paper by third parties: two decimals of t, three of p.
QUOTED_T, QUOTED_P = 2.60, 0.011
# Six students and their baselines in seven tasks, compared as independent cells.
CELLS = 42


def published_checks() -> pd.DataFrame:
    """Recompute the published numbers that need no data of the paper itself.

    Returns
    -------
    DataFrame
        `COLUMNS`: what is ``printed`` and ``recomputed``, whether they agree to the printed
        digits, and what follows.
    """
    return pd.DataFrame([*_figure(), *_statistics()], columns=COLUMNS)


def degrees_of_freedom(t: float, p: float, most: int = 1_000) -> tuple[int, int]:
    """Find the degrees of freedom with which a printed t and a printed two-sided p fit together.

    Parameters
    ----------
    t : float
        As printed, with two decimals.
    p : float
        As printed, with three decimals.
    most : int
        Largest number of degrees of freedom to look at.

    Returns
    -------
    tuple of (int, int)
        Smallest and largest.

    Raises
    ------
    ValueError
        When none fits.
    """
    from scipy.stats import t as student

    df = np.arange(1, most + 1)
    # Rounding: the true t may be half a unit of its last digit away, and so may p.
    smallest, largest = (2 * student.sf(abs(t) + shift, df) for shift in (0.005, -0.005))
    fits = df[(largest >= p - 0.0005) & (smallest <= p + 0.0005)]
    if not len(fits):
        raise ValueError(f"no degrees of freedom up to {most} give p = {p} at t = {t}")
    return int(fits.min()), int(fits.max())


def _figure() -> list[dict[str, Any]]:
    """Recompute what the figure of DeepSeek-R1 prints, and what was quoted from the article."""
    from handan.costs import load_study
    from handan.findings.across import cross_task
    from handan.findings.join import join

    study = load_study("pnas-r1")
    joined = join(study.costs, study.norms)
    pooled = float(cross_task(joined, task_rows=study.task_rows)["mean_r"].iloc[0])
    within = {task: wide["DeepSeek-R1"].corr(wide["human"]) for _, task, wide in joined.tasks()}
    best, worst = max(within, key=within.__getitem__), min(within, key=within.__getitem__)
    return [
        _row("DeepSeek-R1 across tasks, mean r over the figure's draws", 0.94, pooled, 2, "in logs"),
        _row("DeepSeek-R1 within tasks, highest r", 0.89, within[best], 2, f"task {best}"),
        _row(
            "DeepSeek-R1 within tasks, lowest r", 0.39, within[worst], 2,
            f"task {worst}; the figure shows only part of its items",
        ),
        _row(
            "DeepSeek-R1 within tasks, mean r", 0.62, float(np.mean(list(within.values()))), 2,
            f"of {len(within)} tasks here, of seven in the article",
        ),
    ]  # fmt: skip


def _statistics() -> list[dict[str, Any]]:
    from scipy.stats import t as student

    low, high = degrees_of_freedom(QUOTED_T, QUOTED_P)
    df = 2 * CELLS - 2
    unpaired, paired = (2 * student.sf(QUOTED_T, at) for at in (df, CELLS - 1))
    note = (
        f"the quoted numbers fit for {low} to {high} degrees of freedom, so not for a paired test over "
        f"{CELLS} cells (p = {number(paired, 3)})"
    )
    name = f"p of t = {number(-QUOTED_T)} with {df} degrees of freedom (unpaired, {CELLS} cells each)"
    return [_row(name, QUOTED_P, float(unpaired), 3, note)]


def _row(check: str, printed: float, recomputed: float, digits: int, note: str) -> dict[str, Any]:
    agrees = round(recomputed, digits) == printed
    return dict(check=check, printed=printed, recomputed=recomputed, agrees=agrees, note=note)
