"""What a difficulty fingerprint is made of: log costs by item, their noise, means over seeds."""

from __future__ import annotations

import numpy as np
import pandas as pd

from handan.findings.family_members import MEMBER, members
from handan.findings.join import CELL, Joined
from handan.findings.verdict import FEWEST
from handan.tables import check_costs

ITEM = [*CELL, "item"]


def item_rows(
    joined: Joined, costs: pd.DataFrame | None = None, cost: str = "reasoning_tokens"
) -> pd.DataFrame:
    """Add to every item mean its error variance, as far as repeated samples tell.

    The variance of a model's samples of one item is pooled over the items of a task; the
    error variance of an item mean is that over the item's samples. This is what all
    split-halves with the Spearman-Brown formula estimate on average, and it needs no equal
    numbers of samples.

    Parameters
    ----------
    joined : Joined
        Costs beside norms.
    costs : DataFrame, optional
        The costs that were joined; without them the noise is unknown.
    cost : str
        The cost column.

    Returns
    -------
    DataFrame
        The rows of `joined` with ``noise`` (squared log units; NaN where fewer than `FEWEST`
        items of the task have several samples) and ``n_repeated``, the number of such items.

    Raises
    ------
    LookupError
        When the costs have no column `cost`.
    """
    if costs is None:
        return joined.rows.assign(noise=np.nan, n_repeated=0)
    table = check_costs(costs)
    if cost not in table:
        raise LookupError(f"the costs table has no column {cost!r}; it has: {', '.join(map(str, table))}")
    usable = table[(table[cost] > 0) & (table["stop"] != "error").fillna(True)]
    logs = np.log(usable[cost].astype(float))
    groups = logs.groupby([usable[name] for name in ITEM])
    spread = pd.DataFrame({"k": groups.size(), "variance": groups.var()})
    spread = joined.rows[ITEM].join(spread, on=ITEM)
    repeated = spread[spread["k"] > 1]
    weight = repeated["k"] - 1
    sums = pd.DataFrame({"squares": repeated["variance"] * weight, "df": weight, "n_repeated": 1})
    sums = sums.groupby([repeated[name] for name in CELL]).sum()
    found = joined.rows.join(sums, on=CELL).fillna({"n_repeated": 0})
    within = (found["squares"] / found["df"]).where(found["n_repeated"] >= FEWEST)
    found["noise"] = within / found["n_samples"]
    return found.drop(columns=["squares", "df"]).astype({"n_repeated": int})


def studies_of_families(lineage: pd.DataFrame, rows: pd.DataFrame) -> set[str]:
    """Name the studies with models that the lineage places in a family (a ``condition`` and a seed)."""
    if not set(MEMBER) <= set(lineage):
        return set()
    known = lineage.loc[lineage["condition"].notna(), "model"]
    return {str(name) for name in rows.loc[rows["model"].isin(known), "study"].unique()}


def over_seeds(rows: pd.DataFrame, lineage: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Average the log costs of models that differ in their seed only.

    Each model is centred within its task first, so that a seed in which an item is missing
    does not shift that item. The means are named ``condition (repertoire)``.

    Parameters
    ----------
    rows : DataFrame
        A result of `item_rows`.
    lineage : DataFrame
        With ``condition, repertoire, seed``; models without a condition stay as they are.

    Returns
    -------
    tuple of (DataFrame, DataFrame)
        Rows and lineage of the same columns, with a model per condition and repertoire.

    Raises
    ------
    TableError
        When the lineage's families are inconsistent; see `handan.findings.family_members`.
    """
    family = members(lineage)
    names = (family["condition"] + " (" + family["repertoire"] + ")").to_dict()
    mine = rows["model"].isin(names)
    means = _mean_rows(rows[mine], names)
    kin = lineage.copy()
    for link in ("model", "teacher", "base", "sibling"):
        if link in kin:
            kin[link] = kin[link].replace(names)
    kin = kin.drop_duplicates("model").reset_index(drop=True)
    return pd.concat([rows[~mine], means], ignore_index=True), kin


def _mean_rows(rows: pd.DataFrame, names: dict[str, str]) -> pd.DataFrame:
    centred = rows["log_cost"] - rows.groupby(CELL)["log_cost"].transform("mean")
    renamed = rows.assign(log_cost=centred, model=rows["model"].map(names), known=rows["noise"].notna())
    groups = renamed.groupby(ITEM, sort=False)
    table = groups[["log_cost", "human", "log_prompt", "truncated"]].mean()
    table["n_samples"] = groups["n_samples"].sum()
    table["n_repeated"] = groups["n_repeated"].min()
    # The error variance of a mean of m independent values is their sum over m squared.
    table["noise"] = (groups["noise"].sum() / groups.size() ** 2).where(groups["known"].all())
    return table.reset_index()
