"""Alignment: whether a model spends more tokens where people spend more time.

For one model and one task, alignment is the Pearson correlation over items of the log of
its reasoning tokens with the log of the mean human response time (or, where nobody was
timed, with the study's measure of difficulty).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from handan.findings.join import CELL, Joined, ceilings, join, task_rng
from handan.findings.verdict import enough
from handan.stats.bootstrap import bootstrap_correlations, weighted_correlations
from handan.stats.correlation import mean_correlation
from handan.stats.percentile import percentile_interval
from handan.stats.pingouin_adapter import partial_row, pearson_row

COLUMNS = [
    *(
        "study",
        "task",
        "model",
        "n",
        "r",
        "r_low",
        "r_high",
        "boot_low",
        "boot_high",
        "spearman",
        "p",
        "bf10",
    ),
    *("partial_r", "covariate", "ceiling", "r_over_ceiling", "truncated", "excluded", "note"),
]

MEANS = [
    *("study", "group", "n_models", "n_cells", "n_small", "n_items", "largest", "truncated"),
    *("mean_r", "low", "high", "mean_r_fisher"),
]


def alignment(
    costs: pd.DataFrame,
    norms: pd.DataFrame,
    reliability: pd.DataFrame | None = None,
    *,
    cost: str = "reasoning_tokens",
    n_boot: int = 10_000,
    seed: int = 0,
) -> pd.DataFrame:
    """Correlate cost with people, for every study, task and model.

    Parameters
    ----------
    costs, norms, reliability : DataFrame
        See `handan.tables`. Without `reliability` the ceilings are NaN.
    cost : str
        The cost column.
    n_boot : int
        Resamples of items; one resample serves all models of a task.
    seed : int
        Seed of the bootstrap.

    Returns
    -------
    DataFrame
        `COLUMNS`: ``n`` items; ``r`` with its Fisher interval (``r_low, r_high``) and its
        item-bootstrap interval (``boot_low, boot_high``), both 95 %; ``spearman``;
        ``p`` and ``bf10`` of r; ``partial_r`` given the log of the ``covariate``;
        ``ceiling``, the r that an error-free predictor would reach; ``truncated``, the share of
        traces cut at the limit; ``excluded``, cost rows that could not be used; ``note``.

    Raises
    ------
    TableError, LookupError, NoOverlap
        See `handan.findings.join.join`.
    """
    return align(join(costs, norms, cost), reliability, n_boot=n_boot, seed=seed)


def align(
    joined: Joined, reliability: pd.DataFrame | None = None, *, n_boot: int = 10_000, seed: int = 0
) -> pd.DataFrame:
    """Do the work of `alignment` on tables that are joined already.

    Returns
    -------
    DataFrame
        As `alignment`.
    """
    intervals = _bootstrap(joined, n_boot, seed)
    rows = [
        {**dict(zip(CELL, cell, strict=True)), **_cell(part, joined.covariate), **intervals[cell]}
        for cell, part in joined.rows.groupby(CELL, sort=False)
    ]
    table = pd.DataFrame(rows)
    lost = joined.excluded.groupby(CELL)["n"].sum().rename("excluded")
    silent = lost.index.difference(pd.MultiIndex.from_frame(table[CELL]), sort=False)
    if len(silent):
        table = pd.concat([table, _nothing(silent)], ignore_index=True)
    table = table.join(lost, on=CELL).fillna({"excluded": 0}).astype({"excluded": int})
    table["ceiling"] = ceilings(table, reliability)
    table["r_over_ceiling"] = table["r"] / table["ceiling"]
    return table[COLUMNS]


def mean_alignment(
    joined: Joined, groups: Mapping[str, str] | None = None, *, n_boot: int = 10_000, seed: int = 0
) -> pd.DataFrame:
    """Average r over tasks, and over the models of a group.

    Parameters
    ----------
    joined : Joined
        Costs beside norms.
    groups : mapping of str to str, optional
        Group of each model (for example its role); models that it does not name are
        left out. By default each model is a group of its own.
    n_boot, seed : int
        Item bootstrap: one resample of a task's items serves every model.

    Returns
    -------
    DataFrame
        ``study, group, n_models, n_cells, n_small, mean_r, low, high, mean_r_fisher``: the plain
        mean with its 95 % item-bootstrap interval, and the mean through Fisher's z. ``n_small``
        cells have too few items to be in the mean (`handan.findings.verdict.enough`). Of the
        cells in it: ``n_items`` over all tasks and in the ``largest``, share ``truncated``.
    """
    cells: list[dict[str, Any]] = []
    truncated = joined.rows.groupby(CELL)["truncated"].mean()
    for study, task, wide in joined.tasks():
        models = [name for name in wide.columns[1:] if groups is None or name in groups]
        draws = _draws(wide, models, n_boot, task_rng(seed, study, task))
        point = _point(wide, models)
        for k, model in enumerate(models):
            group = groups[model] if groups else model
            cells.append(
                dict(study=study, task=task, model=model, group=group, r=point[k], draws=draws[:, k])
                | dict(n=int(wide[[model, "human"]].notna().all(axis=1).sum()))
                | dict(truncated=truncated.get((study, task, model), np.nan))
            )
    rows = []
    if not cells:
        return pd.DataFrame(columns=MEANS)
    for (study, group), part in pd.DataFrame(cells).groupby(["study", "group"], sort=False):
        known = part[part["r"].notna()]
        usable = known[enough(known["n"])]
        if usable.empty:
            continue
        together = np.mean(np.column_stack(usable["draws"].tolist()), axis=1)
        sizes = usable.groupby("task")["n"].max()
        interval = percentile_interval(together, n_items=sizes.sum(), n_tasks=len(sizes))
        rows.append(
            dict(study=study, group=group, n_models=usable["model"].nunique(), n_cells=len(usable))
            | dict(n_small=len(known) - len(usable), n_items=int(sizes.sum()))
            | dict(largest=int(usable["n"].max()), truncated=usable["truncated"].mean())
            | dict(mean_r=usable["r"].mean(), low=float(interval.low), high=float(interval.high))
            | dict(mean_r_fisher=float(mean_correlation(usable["r"].to_numpy(), how="fisher")))
        )
    return pd.DataFrame(rows, columns=MEANS)


def _cell(part: pd.DataFrame, covariate: str | None) -> dict[str, Any]:
    row = pearson_row(part["log_cost"], part["human"])
    partial = {"r": np.nan}
    if covariate:
        partial = partial_row(part["log_cost"], part["human"], part["log_prompt"])
    return {
        **{"n": row["n"], "r": row["r"], "r_low": row["low"], "r_high": row["high"]},
        **{"spearman": row["spearman"], "p": row["p"], "bf10": row["bf10"]},
        **{"partial_r": partial["r"], "covariate": covariate},
        **{"truncated": part["truncated"].mean(), "note": row["note"]},
    }


def _nothing(cells: pd.MultiIndex) -> pd.DataFrame:
    return cells.to_frame(index=False).assign(n=0, note="no cost row can be used")


def _bootstrap(joined: Joined, n_boot: int, seed: int) -> dict[tuple[str, str, str], dict[str, float]]:
    found = {}
    for study, task, wide in joined.tasks():
        models = list(wide.columns[1:])
        n = wide[models].notna().mul(wide["human"].notna(), axis=0).sum().to_numpy()
        draws = _draws(wide, models, n_boot, task_rng(seed, study, task))
        interval = percentile_interval(draws, n_items=n)
        for model, low, high in zip(models, interval.low, interval.high, strict=True):
            found[study, task, model] = {"boot_low": low, "boot_high": high}
    return found


def _draws(wide: pd.DataFrame, models: list[str], n_boot: int, rng: np.random.Generator) -> np.ndarray:
    return bootstrap_correlations(wide[models].to_numpy(), wide["human"].to_numpy(), n_boot=n_boot, seed=rng)


def _point(wide: pd.DataFrame, models: list[str]) -> np.ndarray:
    # One weight per item, as in a resample: a cost that never varies has no r, here and there.
    whole = np.ones((1, len(wide)))
    return weighted_correlations(whole, wide[models].to_numpy(float), wide["human"].to_numpy(float))[0]
