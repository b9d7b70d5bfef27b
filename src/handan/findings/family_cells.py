"""Estimates of single models and pairs in single tasks, and their mean over tasks and seeds.

A model whose cost is the same on every item (always at once, or always equally long) carries
no information about people: its correlation does not exist. It is counted, and stands as 0
where models are averaged or compared, because leaving it out would select seeds by how
they turned out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from handan.findings.family_members import MEMBER
from handan.findings.inflation import log_change
from handan.findings.join import Joined, task_rng
from handan.stats.bootstrap import bootstrap_correlations, resample_chunks, weighted_correlations
from handan.stats.multiplier import positive_log
from handan.stats.random_factor import CrossedMean, crossed_mean

_SAME = 1e-9  # log costs closer than this differ by rounding only


def correlations(
    joined: Joined, family: pd.DataFrame, pairs: pd.DataFrame, n_boot: int, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Correlate every model, and every pair on its common items, with people.

    Parameters
    ----------
    joined : Joined
        Costs beside norms, of one study.
    family, pairs : DataFrame
        From `handan.findings.family_members`.
    n_boot, seed : int
        Item bootstrap; one resample of a task's items serves all models and pairs.

    Returns
    -------
    tuple of (DataFrame, DataFrame)
        Models: `MEMBER`, ``role, task, model, n, r`` (NaN where it does not exist), ``r_or_zero,
        draws`` (of ``r_or_zero``). Pairs: the columns of `pairs`, ``task, n, r_a, r_b,
        difference, draws, undefined`` (how many of the two correlations do not exist).
    """
    cells: list[dict[str, Any]] = []
    contrasts: list[dict[str, Any]] = []
    measured = _measured(joined)
    for study, task, wide in joined.tasks():
        names = [name for name in family.index if (task, name) in measured]
        here = pairs[pairs["a"].isin(names) & pairs["b"].isin(names)]
        costs = _informative(wide.reindex(columns=names).to_numpy(float))
        place = {name: k for k, name in enumerate(names)}
        a, b = (costs[:, [place[name] for name in here[side]]] for side in ("a", "b"))
        a, b = _common(a, b)
        columns = np.hstack([costs, a, b])
        human = wide["human"].to_numpy(float)
        r = weighted_correlations(np.ones((1, len(human))), columns, human)[0]
        draws = bootstrap_correlations(columns, human, n_boot=n_boot, seed=task_rng(seed, study, task))
        draws = np.nan_to_num(draws)
        n = np.where(np.isnan(wide.reindex(columns=names).to_numpy(float)), 0, 1).sum(axis=0)
        cells += [
            dict(family.loc[name, [*MEMBER, "role"]], task=task, model=name, n=int(n[k]), r=r[k])
            | dict(r_or_zero=np.nan_to_num(r[k]), draws=draws[:, k])
            for name, k in place.items()
        ]
        contrasts += _contrasts(task, here, r[len(names) :], draws[:, len(names) :], a, b)
    return pd.DataFrame(cells), pd.DataFrame(contrasts)


def changes(joined: Joined, means: pd.DataFrame, pairs: pd.DataFrame, n_boot: int, seed: int) -> pd.DataFrame:
    """Log multiplier of every pair, and its change with difficulty.

    Parameters
    ----------
    joined : Joined
        Costs beside norms, of one study.
    means : DataFrame
        From `handan.findings.inflation.item_means`.
    pairs : DataFrame
        ``student, reference`` and any other columns.
    n_boot, seed : int
        Item bootstrap.

    Returns
    -------
    DataFrame
        The columns of `pairs`, ``task, n`` (items where both cost more than zero),
        ``log_multiplier`` and ``log_change`` (NaN where they do not exist), and their draws
        ``log_multiplier_draws, log_change_draws``.
    """
    rows: list[dict[str, Any]] = []
    for study, task, wide in joined.tasks():
        spent = means.loc[(study, task)].reindex(wide.index).dropna(axis=1, how="all")
        here = pairs[pairs["student"].isin(spent.columns) & pairs["reference"].isin(spent.columns)]
        if here.empty:
            continue
        student, reference = (positive_log(spent[here[side].tolist()]) for side in ("student", "reference"))
        ratio, human = student - reference, wide["human"].to_numpy(float)
        chunks = list(resample_chunks(len(human), n_boot, task_rng(seed, study, task)))
        counts = np.vstack([np.ones((1, len(human))), *chunks])
        found = {
            "log_multiplier": _weighted_mean(counts, ratio),
            "log_change": log_change(counts, ratio, human),
        }
        for k, pair in enumerate(here.to_dict("records")):
            row = pair | dict(task=task, n=int((~np.isnan(ratio[:, k])).sum()))
            for name, values in found.items():
                row |= {name: values[0, k], f"{name}_draws": values[1:, k]}
            rows.append(row)
    return pd.DataFrame(rows)


def complete(part: pd.DataFrame, tasks: Sequence[str]) -> tuple[dict[int, pd.DataFrame], list[int]]:
    """Split the rows of a condition by seed, and name the seeds that lack one of the tasks.

    Parameters
    ----------
    part : DataFrame
        ``seed, task`` and estimates, a row per seed × task.
    tasks : sequence of str
        The tasks of a group.

    Returns
    -------
    tuple of (dict of int to DataFrame, list of int)
        Rows of every seed that has all tasks, and the other seeds.
    """
    inside = part[part["task"].isin(tasks)]
    found = {int(seed): rows for seed, rows in inside.groupby("seed")}
    whole = {seed: rows for seed, rows in found.items() if rows["task"].nunique() == len(tasks)}
    return whole, [seed for seed in sorted(set(part["seed"])) if seed not in whole]


def over_seeds(seeds: dict[int, pd.DataFrame], value: str, draws: str = "draws") -> CrossedMean:
    """Average an estimate over the tasks of every seed, then over seeds.

    Parameters
    ----------
    seeds : dict of int to DataFrame
        From `complete`, not empty.
    value, draws : str
        Columns of the estimate and of its bootstrap draws.

    Returns
    -------
    CrossedMean
        Tasks are fixed; seeds and items are random.
    """
    estimates = [rows[value].mean() for rows in seeds.values()]
    sample = np.column_stack([np.mean(np.stack(list(rows[draws])), axis=0) for rows in seeds.values()])
    return crossed_mean(estimates, sample, max(n_items(seeds), 2))


def n_items(seeds: dict[int, pd.DataFrame]) -> int:
    """Count the items of all tasks; where seeds differ, the most that one of them has."""
    most: dict[str, int] = {}
    for rows in seeds.values():
        for task, n in zip(rows["task"], rows["n"], strict=True):
            most[task] = max(most.get(task, 0), int(n))
    return sum(most.values())


def _measured(joined: Joined) -> set[tuple[str, str]]:
    """List the tasks that every model did, be it without ever spending a token."""
    silent = joined.excluded[joined.excluded["reason"] == "the cost is zero"]
    both = pd.concat([joined.rows[["task", "model"]], silent[["task", "model"]]]).drop_duplicates()
    return set(both.itertuples(index=False, name=None))


def _informative(costs: np.ndarray) -> np.ndarray:
    """Blank the columns that do not vary."""
    known = ~np.isnan(costs)
    low, high = (np.where(known, costs, end).T for end in (np.inf, -np.inf))
    varies = high.max(axis=1, initial=-np.inf) - low.min(axis=1, initial=np.inf) > _SAME
    return np.where(varies & (known.sum(axis=0) >= 3), costs, np.nan)


def _common(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Keep common items, but let a model without information take none from the other."""
    known_a, known_b = ~np.isnan(a), ~np.isnan(b)
    both = (known_a | ~known_a.any(axis=0)) & (known_b | ~known_b.any(axis=0))
    return _informative(np.where(both, a, np.nan)), _informative(np.where(both, b, np.nan))


def _contrasts(
    task: str, pairs: pd.DataFrame, r: np.ndarray, draws: np.ndarray, a: np.ndarray, b: np.ndarray
) -> list[dict[str, Any]]:
    k = len(pairs)
    undefined = np.isnan(r[:k]).astype(int) + np.isnan(r[k:])
    left, right = np.nan_to_num(r[:k]), np.nan_to_num(r[k:])
    n = (~np.isnan(a) | ~np.isnan(b)).sum(axis=0)
    return [
        pair
        | dict(task=task, n=int(n[j]), r_a=left[j], r_b=right[j], difference=left[j] - right[j])
        | dict(undefined=int(undefined[j]), draws=draws[:, j] - draws[:, k + j])
        for j, pair in enumerate(pairs.to_dict("records"))
    ]


def _weighted_mean(counts: np.ndarray, values: np.ndarray) -> np.ndarray:
    known = ~np.isnan(values)
    with np.errstate(invalid="ignore", divide="ignore"):
        return (counts @ np.where(known, values, 0.0)) / (counts @ known)
