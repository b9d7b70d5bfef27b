"""Relative effort: what a model spends on an item, over what its teacher spends on average.

Third parties say that the paper compares students with teachers by it. Divided by one number,
the costs of a task keep their distribution; on a log scale they are only shifted. The
distances here are therefore those of ln cost, and they can be read as factors: a
Wasserstein-1 distance of 0.69 means that sorted costs are apart by a factor of two on average.

Copied *form* would show in a student whose distribution of costs lies nearer to its teacher's
than its own baseline's does. Which item gets how much plays no part in that: it is
`handan.findings.inflation` and the correlations that look at the allocation.

Bins of the Kullback-Leibler divergence: `handan.stats.divergence.BINS` equal bins of ln cost from
the smallest to the largest cost among a teacher, its students and their baselines in a task,
with half a count added to every bin. Half and twice as many bins are shown beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from handan.findings.effort_distances import distance_columns
from handan.findings.effort_form import COLUMNS as FORM
from handan.findings.effort_form import form_rows, pooled_form
from handan.findings.join import Joined, task_rng
from handan.findings.paired_costs import item_means, measured, truncated_shares
from handan.lineage import pairs
from handan.stats.bootstrap import resample_chunks
from handan.stats.divergence import BINS, equal_bins
from handan.stats.multiplier import positive_log

COLUMNS = [
    *("study", "task", "relation", "teacher", "student", "n", "n_zero"),
    *("effort", "effort_low", "effort_high"),
    *("wasserstein", "wasserstein_low", "wasserstein_high", "wasserstein_chance"),
    *("shape", "shape_low", "shape_high", "shape_chance"),
    *("kl", "kl_low", "kl_high", "kl_chance", "kl_half_bins", "kl_twice_bins"),
    *("truncated_teacher", "truncated_student", "note"),
]
ITEMS = ["study", "task", "teacher", "model", "part", "item", "effort"]


@dataclass(frozen=True)
class Effort:
    """Distributions of relative effort, compared.

    Attributes
    ----------
    distances : DataFrame
        A row per study × task × student × teacher (its own; every other one where its own was
        not measured; ``relation`` says which). ``n`` common items, ``n_zero`` of them with a cost
        of zero on a side (no part in logs). ``effort``: mean relative effort of the student.
        From the teacher's distribution: ``wasserstein`` (ln cost), ``shape`` (the same after
        taking off each model's own mean), ``kl`` (nats); each with its 95 % item-bootstrap
        interval and the level of chance (`handan.stats.divergence.swapped`);
        ``kl_half_bins, kl_twice_bins``; ``truncated_teacher, truncated_student``; ``note``.
    form : DataFrame
        A row per student × teacher × baseline; see `handan.findings.effort_form.form_rows`.
    pooled : DataFrame
        A row per study × relation; see `handan.findings.effort_form.pooled_form`.
    """

    distances: pd.DataFrame
    form: pd.DataFrame
    pooled: pd.DataFrame


def effort(
    joined: Joined,
    costs: pd.DataFrame,
    lineage: pd.DataFrame,
    *,
    cost: str = "reasoning_tokens",
    n_boot: int = 2_000,
    seed: int = 0,
) -> Effort:
    """Compare the distributions of students' costs with their teachers', and with their baselines'.

    Parameters
    ----------
    joined : Joined
        Costs beside norms: says which items count.
    costs : DataFrame
        The costs that were joined; item means are taken from here.
    lineage : DataFrame
        Says who taught whom, and who was there before.
    cost : str
        The cost column.
    n_boot, seed : int
        Item bootstrap; one resample of a task's items serves all models.

    Returns
    -------
    Effort

    Raises
    ------
    LookupError
        When the costs have no column `cost`.

    Notes
    -----
    Two samples of one distribution lie apart, and two resamples lie farther apart still. From the
    draws of a distance their bias is taken off, and its interval reaches down to 0 where 2.5 % of
    random swaps lie as far apart. A difference of distances has a percentile interval:
    where one of the two is hardly above chance, it is drawn towards 0, so that a claim is supported
    too rarely, not too often. Elsewhere intervals of 46 and of 200 items covered the truth in 92 to
    95 % of simulated studies (``benchmarks/effort_intervals.py``).
    """
    distances: list[dict[str, Any]] = []
    trios: list[dict[str, Any]] = []
    for study, task, spent, taught, based in _tasks(joined, costs, lineage, cost):

        def resamples(n: int = len(spent), key: tuple[str, str] = (study, task)) -> Iterator[np.ndarray]:
            """Draw anew for every pair, always the same: all at once may not fit in memory."""
            return resample_chunks(n, n_boot, task_rng(seed, *key))

        name = dict(study=study, task=task)
        for pair in taught.itertuples():
            row = name | dict(relation=pair.relation, teacher=pair.a, student=pair.b)
            edges = _edges(spent, taught, based, pair.a)
            rng = task_rng(seed, f"{study}/{pair.a}", f"{task}/{pair.b}")
            distances.append(row | distance_columns(spent[pair.a], spent[pair.b], edges, resamples, rng))
            trios += form_rows(row, spent, based[based["a"] == pair.b], edges[BINS], resamples)
    if not distances:
        return Effort(pd.DataFrame(columns=COLUMNS), pd.DataFrame(columns=FORM), pooled_form([]))
    table = truncated_shares(pd.DataFrame(distances), costs, ("teacher", "student"))
    return Effort(table[COLUMNS], pd.DataFrame(trios, columns=FORM), pooled_form(trios))


def relative_effort(
    joined: Joined, costs: pd.DataFrame, lineage: pd.DataFrame, *, cost: str = "reasoning_tokens"
) -> pd.DataFrame:
    """Give the relative effort of every item, for teachers, their students and those's baselines.

    Parameters
    ----------
    joined, costs, lineage, cost
        As in `effort`.

    Returns
    -------
    DataFrame
        ``study, task, teacher, model, part, item, effort``: a row per item of every model that is
        compared with a teacher. ``part`` is ``teacher``, ``student`` or ``baseline``; ``effort``
        is the item's mean cost over the teacher's mean cost on the task.

    Raises
    ------
    LookupError
        When the costs have no column `cost`.
    """
    tables = []
    for study, task, spent, taught, based in _tasks(joined, costs, lineage, cost):
        for teacher, own in taught.groupby("a", sort=False):
            baselines = based.loc[based["a"].isin(own["b"]), "b"]
            parts = {teacher: "teacher"} | dict.fromkeys(own["b"], "student")
            parts |= dict.fromkeys(baselines, "baseline")
            share = spent[list(parts)] / spent[teacher].mean()
            long = share.reset_index().melt("item", var_name="model", value_name="effort").dropna()
            tables.append(long.assign(study=study, task=task, teacher=teacher, part=long["model"].map(parts)))
    return pd.concat(tables, ignore_index=True)[ITEMS] if tables else pd.DataFrame(columns=ITEMS)


def _tasks(
    joined: Joined, costs: pd.DataFrame, lineage: pd.DataFrame, cost: str
) -> Iterator[tuple[str, str, pd.DataFrame, pd.DataFrame, pd.DataFrame]]:
    """Names, item mean costs, pairs of teacher (a) and student (b), and of student (a) and baseline (b)."""
    means = item_means(costs, cost)
    models = measured(joined, lineage)
    taught, based = pairs(lineage, models, "collapse"), pairs(lineage, models, "transfer")
    for study, task, wide in joined.tasks():
        spent = means.loc[(study, task)].reindex(wide.index[wide["human"].notna()])
        spent = spent.dropna(axis=1, how="all")
        here, there = (both[both[["a", "b"]].isin(spent.columns).all(axis=1)] for both in (taught, based))
        owned = here.loc[here["relation"] == "own teacher", "b"]
        nearest = here[(here["relation"] == "own teacher") | ~here["b"].isin(owned)]
        if not nearest.empty:
            yield study, task, spent, nearest, there


def _edges(
    spent: pd.DataFrame, taught: pd.DataFrame, based: pd.DataFrame, teacher: str
) -> dict[int, np.ndarray]:
    students = taught.loc[taught["a"] == teacher, "b"]
    baselines = based.loc[based["a"].isin(students), "b"]
    names = list(dict.fromkeys([teacher, *students, *baselines]))
    values = positive_log(spent[names].to_numpy(float))
    return {n: equal_bins(values, n) for n in (BINS, BINS // 2, 2 * BINS)}
