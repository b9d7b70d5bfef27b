"""Bring costs and norms together, item by item, and account for every row that falls out."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from handan.tables import check_costs, check_norms

CELL = ["study", "task", "model"]


class NoOverlap(ValueError):
    """Costs and norms share no usable item."""


@dataclass(frozen=True)
class Joined:
    """Costs beside norms.

    Attributes
    ----------
    rows : DataFrame
        A row per study × task × model × item: ``log_cost`` (mean over samples of the
        natural log of the cost), ``human`` (ln seconds, or the study's difficulty),
        ``log_prompt`` (NaN where unknown), ``n_samples``, ``truncated`` (share of the
        samples cut at the limit; NaN where no ending is recorded).
    excluded : DataFrame
        A row per study × task × model × reason: ``n`` cost rows that could not be used.
    covariate : str or None
        The column behind ``log_prompt``: ``prompt_tokens``, ``prompt_chars`` or None.
    """

    rows: pd.DataFrame
    excluded: pd.DataFrame
    covariate: str | None

    def tasks(self) -> Iterator[tuple[str, str, pd.DataFrame]]:
        """Study, task and an item × model matrix of ``log_cost`` plus a column ``human``.

        Yields
        ------
        tuple of (str, str, DataFrame)
            The frame is indexed by item; a model without the item has NaN there.
        """
        for (study, task), part in self.rows.groupby(["study", "task"], sort=False):
            wide = part.pivot(index="item", columns="model", values="log_cost")
            human = part.drop_duplicates("item").set_index("item")["human"]
            wide.insert(0, "human", human.reindex(wide.index))
            yield str(study), str(task), wide


def join(costs: pd.DataFrame, norms: pd.DataFrame, cost: str = "reasoning_tokens") -> Joined:
    """Match costs to norms on task and item.

    Parameters
    ----------
    costs, norms : DataFrame
        See `handan.tables`; both are checked here.
    cost : str
        The cost column, for example ``reasoning_tokens`` or ``output_tokens``.

    Returns
    -------
    Joined

    Raises
    ------
    TableError
        When a table breaks its schema.
    LookupError
        When the costs have no column `cost`, or a model is called ``human``.
    NoOverlap
        When no cost row has a norm; the message shows items of both sides.
    """
    costs, norms = check_costs(costs), check_norms(norms)
    if cost not in costs or not pd.api.types.is_numeric_dtype(costs[cost]):
        numeric = ", ".join(costs.select_dtypes("number").columns)
        raise LookupError(f"the costs table has no column {cost!r} of numbers; columns of numbers: {numeric}")
    if (costs["model"] == "human").any():
        raise LookupError("a model is called 'human', the name that tables keep for people; rename it")
    human = norms.set_index(["task", "item"])[_measure(norms)].rename("human")
    merged = costs.join(human, on=["task", "item"])
    known = pd.MultiIndex.from_frame(merged[["task", "item"]]).isin(human.index)
    if not known.any():
        raise NoOverlap(_no_overlap(costs, norms))
    reason = _reasons(merged, cost, known)
    if (reason != "").all():
        counts = reason.value_counts()
        raise NoOverlap("no cost row can be used: " + ", ".join(f"{n} x {why}" for why, n in counts.items()))
    usable = merged[reason == ""].copy()
    usable["log_cost"] = np.log(usable[cost].astype(float))
    covariate = _covariate(usable)
    usable["log_prompt"] = np.log(usable[covariate]) if covariate else np.nan
    # Where no ending is recorded at all, nobody can say what was cut.
    cut = (usable["stop"] == "length").astype("Float64").where(usable["stop"].notna())
    usable["truncated"] = cut.astype("float64")
    return Joined(_items(usable), _account(merged, reason), covariate)


def task_rng(seed: int, study: str, task: str) -> np.random.Generator:
    """Random generator of one task, so that two tasks of equal length are not resampled alike.

    Parameters
    ----------
    seed : int
        Seed of the whole analysis.
    study, task : str
        Names of the task.
    """
    return np.random.default_rng([seed, zlib.crc32(f"{study}/{task}".encode())])


def ceilings(table: pd.DataFrame, reliability: pd.DataFrame | None, end: str = "reliability") -> pd.Series:
    """Look up the noise ceiling of every row's study and task.

    Parameters
    ----------
    table : DataFrame
        At least ``study, task``.
    reliability : DataFrame or None
        See `handan.tables`.
    end : str
        ``low`` or ``high`` for an end of the reliability's 95 % interval.

    Returns
    -------
    Series
        Square root of the reliability; NaN where it is unknown or negative. An end of its interval
        that is negative counts as 0.
    """
    if reliability is None or end not in reliability:
        return pd.Series(np.nan, index=table.index)
    known = reliability.set_index(["study", "task"])[end]
    found = table[["study", "task"]].join(known, on=["study", "task"])[end].astype(float)
    return np.sqrt(found.where(found >= 0) if end == "reliability" else found.clip(lower=0))


def _measure(norms: pd.DataFrame) -> str:
    return "log_rt" if norms["log_rt"].notna().any() else "difficulty"


def _reasons(merged: pd.DataFrame, cost: str, known: np.ndarray) -> pd.Series:
    value = merged[cost].astype(float)
    reason = pd.Series("", index=merged.index, dtype=object)
    # The last assignment wins: the most basic defect names the row.
    reason[merged["human"].isna()] = "the norm is missing"
    reason[~known] = "the item has no norm"
    reason[value == 0] = "the cost is zero"
    reason[value.isna()] = "the cost is missing"
    reason[(merged["stop"] == "error").fillna(False)] = "the request failed"
    return reason


def _covariate(usable: pd.DataFrame) -> str | None:
    for name in ("prompt_tokens", "prompt_chars"):
        if name in usable and usable[name].notna().all() and (usable[name] > 0).all():
            return name
    return None


def _items(usable: pd.DataFrame) -> pd.DataFrame:
    columns = ["log_cost", "human", "log_prompt", "truncated"]
    groups = usable.groupby([*CELL, "item"], sort=False)
    return groups[columns].mean().assign(n_samples=groups.size()).reset_index()


def _account(merged: pd.DataFrame, reason: pd.Series) -> pd.DataFrame:
    bad = merged.loc[reason != "", CELL].assign(reason=reason[reason != ""])
    return bad.groupby([*CELL, "reason"], sort=False).size().rename("n").reset_index()


def _no_overlap(costs: pd.DataFrame, norms: pd.DataFrame) -> str:
    def _some(frame: pd.DataFrame) -> str:
        return "; ".join(f"{row.task} / {row.item}" for row in frame.head(3).itertuples())

    return (
        "costs and norms share no task and item, so there is nothing to correlate.\n"
        f"  costs have (task / item): {_some(costs)}\n  norms have (task / item): {_some(norms)}\n"
        "  Give both tables the same task names and item codes."
    )
