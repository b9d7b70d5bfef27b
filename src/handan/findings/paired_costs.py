"""Students beside what they are a multiple of: item mean costs of pairs of models, task by task."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from handan.findings.join import Joined
from handan.lineage import pairs
from handan.tables import check_costs

RELATIONS = ("own teacher", "true base", "instruct sibling")


@dataclass(frozen=True)
class PairedCosts:
    """The pairs of one task.

    Attributes
    ----------
    study, task : str
        Names of the task.
    items : Index of length n_items
        Items of the task.
    human : ndarray of shape (n_items,)
        Human measure.
    pairs : DataFrame
        ``student, reference, relation``, a row per pair.
    reference, student : ndarray of shape (n_items, n_pairs)
        Item mean costs; NaN on both sides where one of the two, or people, have none.
    """

    study: str
    task: str
    items: pd.Index
    human: np.ndarray
    pairs: pd.DataFrame
    reference: np.ndarray
    student: np.ndarray

    def common(self) -> np.ndarray:
        """Mask of shape (n_items, n_pairs) of the items that count."""
        return ~np.isnan(self.student)


def paired_costs(
    joined: Joined, costs: pd.DataFrame, lineage: pd.DataFrame, cost: str = "reasoning_tokens"
) -> Iterator[PairedCosts]:
    """Pair every student with its own teacher, its base and its sibling, in every task.

    Parameters
    ----------
    joined : Joined
        Costs beside norms: says which items have a norm.
    costs : DataFrame
        The costs that were joined; item means are taken from here, with zeros.
    lineage : DataFrame
        Says who is related to whom.
    cost : str
        The cost column.

    Yields
    ------
    PairedCosts
        A task without a pair is left out.

    Raises
    ------
    LookupError
        When the costs have no column `cost`.
    """
    means = item_means(costs, cost)
    found = related(lineage, measured(joined, lineage))
    for study, task, wide in joined.tasks():
        spent = means.loc[(study, task)].reindex(wide.index).dropna(axis=1, how="all")
        here = found[found["student"].isin(spent.columns) & found["reference"].isin(spent.columns)]
        if here.empty:
            continue
        human = wide["human"].to_numpy(float)
        sides = [spent[here[name].tolist()].to_numpy(float) for name in ("reference", "student")]
        common = ~(np.isnan(human)[:, None] | np.isnan(sides[0]) | np.isnan(sides[1]))
        reference, student = (np.where(common, side, np.nan) for side in sides)
        yield PairedCosts(study, task, wide.index, human, here.reset_index(drop=True), reference, student)


def item_means(costs: pd.DataFrame, cost: str = "reasoning_tokens") -> pd.DataFrame:
    """Average the cost of every item over its samples.

    Failed requests and missing costs have no part in it; zeros have.

    Parameters
    ----------
    costs : DataFrame
        See `handan.tables`.
    cost : str
        The cost column.

    Returns
    -------
    DataFrame
        Indexed by study, task and item; a column per model, NaN where it was not measured.

    Raises
    ------
    LookupError
        When there is no such column.
    """
    table = check_costs(costs)
    if cost not in table:
        raise LookupError(f"the costs table has no column {cost!r}; it has: {', '.join(map(str, table))}")
    usable = table[(table["stop"] != "error").fillna(True)]
    return usable.groupby(["study", "task", "item", "model"])[cost].mean().unstack("model")


def measured(joined: Joined, lineage: pd.DataFrame) -> list[str]:
    """List the measured models that the lineage names.

    Parameters
    ----------
    joined : Joined
        Costs beside norms.
    lineage : DataFrame
        At least ``model``.

    Returns
    -------
    list of str
        With those that never spent a token, which the join sets aside.
    """
    silent = joined.excluded.loc[joined.excluded["reason"] == "the cost is zero", "model"]
    known = set(lineage["model"])
    return [name for name in dict.fromkeys([*joined.rows["model"], *silent]) if name in known]


def related(lineage: pd.DataFrame, models: list[str]) -> pd.DataFrame:
    """List students with their own teacher, their base and their sibling.

    Parameters
    ----------
    lineage : DataFrame
        At least ``model, role``.
    models : list of str
        Measured models.

    Returns
    -------
    DataFrame
        ``reference, student, relation``, a relation of `RELATIONS`.
    """
    taught = pairs(lineage, models, "collapse").rename(columns={"a": "reference", "b": "student"})
    based = pairs(lineage, models, "transfer").rename(columns={"a": "student", "b": "reference"})
    both = pd.concat([taught, based], ignore_index=True)
    return both[both["relation"].isin(RELATIONS)].reset_index(drop=True)


def truncated_shares(table: pd.DataFrame, costs: pd.DataFrame, sides: tuple[str, ...]) -> pd.DataFrame:
    """Add the share of each side's traces that were cut at the limit.

    Parameters
    ----------
    table : DataFrame
        ``study, task`` and a column with the name of a model per side.
    costs : DataFrame
        See `handan.tables`.
    sides : tuple of str
        Columns with the names of models.

    Returns
    -------
    DataFrame
        The table with ``truncated_`` and the side's name; NaN where no ending is recorded.
    """
    known = check_costs(costs).dropna(subset=["stop"])
    keys = ["study", "task", "model"]
    share = (known["stop"] == "length").astype("float64").groupby([known[key] for key in keys]).mean()
    for side in sides:
        names = ["study", "task", side]
        table = table.join(share.rename(f"truncated_{side}").rename_axis(names), on=names)
    return table
