"""Simulated studies of several tasks: how often a comparison of groups finds a difference.

A group of models that did several tasks has a correlation with people for every model and
task, a *cell*. An unpaired t test over cells makes two mistakes of opposite direction. What
models of a group share beside people moves their cells together, so that their number
overstates what is known. And tasks that differ in r spread the cells of both groups, though
this spread cancels between groups that did the same tasks. Which mistake is larger depends
on the study.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ._common import FloatArray
from .bootstrap import resample_counts, weighted_correlations
from .pair_design import PairDesign
from .percentile import percentile_interval
from .power_simulation import simulate_pairs
from .simulate import proportion_interval
from .unpaired import unpaired_t

if TYPE_CHECKING:
    import pandas as pd

# Bounds memory: all resampled correlations of a block are held at once.
_STUDIES_PER_BLOCK = 25


def simulated_cells(
    tasks: Sequence[PairDesign],
    n_items: int,
    *,
    alpha: float = 0.05,
    n_studies: int = 1_000,
    n_boot: int = 500,
    seed: int = 0,
) -> pd.DataFrame:
    """Share of simulated studies in which two tests find a difference between two groups.

    Parameters
    ----------
    tasks : sequence of PairDesign
        The truth in every task. The same k pairs do all tasks; first models are one group,
        second models the other, and no model serves two pairs.
    n_items : int
        Items per task, at least 4. Tasks have nothing in common but the models.
    alpha : float
        Level of the tests.
    n_studies, n_boot : int
        Simulated studies, and resamples of items in each.
    seed : int
        Source of randomness.

    Returns
    -------
    DataFrame
        A row per ``test``: ``unpaired_t``, over the cells of both groups, and
        ``item_bootstrap``, whose interval of the mean difference over cells excludes 0. With the
        ``share`` that rejects, its 95 % Monte Carlo interval ``low, high``, and ``n_studies``.

    Raises
    ------
    ValueError
        When there is no task, a count is too small, k is not whole, differs between tasks or
        is below 2, or one model serves several pairs.
    """
    import pandas as pd

    _check(tasks, n_items, n_studies)
    rng = np.random.default_rng(seed)
    counts = {"unpaired_t": 0, "item_bootstrap": 0}
    for start in range(0, n_studies, _STUDIES_PER_BLOCK):
        size = min(_STUDIES_PER_BLOCK, n_studies - start)
        drawn = [_task(one, n_items, size, n_boot, rng) for one in tasks]
        cells = np.concatenate([r for r, _ in drawn], axis=2)
        together = np.mean([draws for _, draws in drawn], axis=0)
        size_of_all = dict(n_items=n_items * len(tasks), n_tasks=len(tasks))
        interval = percentile_interval(together, 1 - alpha, **size_of_all)
        counts["unpaired_t"] += int(_unpaired(cells, alpha).sum())
        counts["item_bootstrap"] += int(((interval.low > 0) | (interval.high < 0)).sum())
    rows = []
    for test, hits in counts.items():
        low, high = proportion_interval(hits, n_studies)
        rows.append(dict(test=test, share=hits / n_studies, low=low, high=high, n_studies=n_studies))
    return pd.DataFrame(rows)


def _check(tasks: Sequence[PairDesign], n_items: int, n_studies: int) -> None:
    pairs = sorted({one.n_pairs for one in tasks})
    if len(pairs) != 1 or pairs[0] < 2:
        found = ", ".join(f"{k:g}" for k in pairs) or "no task"
        raise ValueError(f"every task needs the same number of pairs, 2 or more, got {found}")
    if n_items < 4 or n_studies < 1:
        raise ValueError(
            "a simulation needs at least 4 items per task and one study, "
            f"got n_items={n_items}, n_studies={n_studies}"
        )
    if any(max(one.alike_a, one.alike_b) > 1 - 1e-9 for one in tasks):
        raise ValueError("one model serves several pairs: its r is one cell, not one per pair")


def _task(
    design: PairDesign, n_items: int, n_studies: int, n_boot: int, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Cells (studies, 2, k) of one task, and resampled mean differences (n_boot, studies)."""
    drawn = simulate_pairs(design, n_items, n_studies, rng).swapaxes(0, 1)
    models = drawn[..., 1:].reshape(n_items, -1)
    people = np.repeat(drawn[..., 0], drawn.shape[2] - 1, axis=1)
    resamples = np.vstack([np.ones((1, n_items), dtype=int), resample_counts(n_items, n_boot, rng)])
    r = weighted_correlations(resamples, models, people).reshape(n_boot + 1, n_studies, 2, -1)
    means = r[1:].mean(axis=3)
    return r[0], means[..., 0] - means[..., 1]


def _unpaired(cells: FloatArray, alpha: float) -> NDArray[np.bool_]:
    """Which studies the t test rejects; `cells` has shape (studies, 2, cells of a group)."""
    return np.array([unpaired_t(a, b).p < alpha for a, b in cells], dtype=bool)
