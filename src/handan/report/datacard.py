"""The data card: which models, tasks and items a report rests on, and what was left out of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from handan.lineage import roles_of

if TYPE_CHECKING:
    from handan.inputs import Inputs

TASKS = ["study", "task", "models", "items", "no_norm", "no_cost", "reliability", "ceiling"]
MODELS = [
    *("study", "model", "role", "teacher", "base", "sibling", "items", "rows", "used", "failed", "zero"),
    *("missing", "cut", "correct", "mean_cost"),
]


def tasks(inputs: Sequence[Inputs]) -> pd.DataFrame:
    """Count the items of every task on both sides of the join.

    Parameters
    ----------
    inputs : sequence of Inputs
        The studies.

    Returns
    -------
    DataFrame
        `TASKS`, a row per study × task: ``items`` with a norm and a usable cost of some model;
        ``no_norm``, items of the costs without a usable norm or cost; ``no_cost``, items of the
        norms that no model was asked; ``reliability`` of the norms and noise ``ceiling``, NaN
        where unknown.
    """
    found = [row for one in inputs for row in _tasks(one)]
    return pd.DataFrame(found, columns=TASKS)


def models(inputs: Sequence[Inputs], lineage: pd.DataFrame) -> pd.DataFrame:
    """Describe every model of the costs, whether it can be used or not.

    Parameters
    ----------
    inputs : sequence of Inputs
        The studies.
    lineage : DataFrame
        Who taught whom.

    Returns
    -------
    DataFrame
        `MODELS`, a row per study × model: ``role`` (see `handan.lineage.roles_of`) and relatives
        from the lineage; ``items`` asked; cost ``rows``, those ``used`` in the join, and those
        that ``failed``, cost ``zero`` or have no cost (``missing``); ``cut``, the share of traces
        cut at the limit, and ``correct``, the share of right answers, NaN where not recorded;
        ``mean_cost`` of a row that did not fail.
    """
    found = pd.concat([_models(one) for one in inputs], ignore_index=True) if inputs else pd.DataFrame()
    if found.empty:
        return pd.DataFrame(columns=MODELS)
    kin = lineage.drop_duplicates("model").set_index("model")[["teacher", "base", "sibling"]]
    table = found.join(kin, on="model")
    return table.assign(role=table["model"].map(roles_of(table["model"], lineage)))[MODELS]


def left_out(inputs: Sequence[Inputs]) -> pd.DataFrame:
    """List the cost rows that could not be used, by reason.

    Returns
    -------
    DataFrame
        ``study, task, model, reason, n``.
    """
    parts = [one.joined.excluded for one in inputs if len(one.joined.excluded)]
    columns = ["study", "task", "model", "reason", "n"]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)


def _tasks(one: Inputs) -> list[dict[str, Any]]:
    from handan.findings.join import ceilings

    key = ["study", "task", "item"]
    asked, used = one.costs[key].drop_duplicates(), one.joined.rows[key].drop_duplicates()
    sides = asked.merge(used, how="left", indicator="usable")
    sides = sides.merge(one.norms[["task", "item"]], how="left", indicator="normed")
    sides["usable"], sides["normed"] = sides["usable"] == "both", sides["normed"] == "both"
    table = sides.groupby(["study", "task"], sort=False).agg(
        items=("usable", "sum"), asked=("usable", "size"), normed=("normed", "sum")
    )
    table["models"] = one.joined.rows.groupby(["study", "task"])["model"].nunique()
    table = table.reset_index().fillna({"models": 0}).astype({"models": int})
    table["no_norm"] = table["asked"] - table["items"]
    table["no_cost"] = table["task"].map(one.norms["task"].value_counts()).fillna(0) - table["normed"]
    table["reliability"] = np.nan
    if one.reliability is not None:
        known = one.reliability.set_index(["study", "task"])["reliability"]
        table["reliability"] = table[["study", "task"]].join(known, on=["study", "task"])["reliability"]
    return table.assign(ceiling=ceilings(table, one.reliability))[TASKS].to_dict("records")


def _models(one: Inputs) -> pd.DataFrame:
    costs, spent = one.costs, one.costs[one.cost].astype(float)
    stop = costs["stop"]
    failed = (stop == "error").fillna(False).astype(bool)
    flags = pd.DataFrame(
        {
            "study": costs["study"], "model": costs["model"], "rows": 1, "failed": failed,
            "zero": (spent == 0) & ~failed, "missing": spent.isna() & ~failed,
            "cut": (stop == "length").astype("Float64").where(stop.notna()).astype(float),
            "correct": costs["correct"].astype(float), "mean_cost": spent.where(~failed),
        }
    )  # fmt: skip
    how = dict.fromkeys(("rows", "failed", "zero", "missing"), "sum")
    how |= dict.fromkeys(("cut", "correct", "mean_cost"), "mean")
    key = ["study", "model"]
    table = flags.groupby(key, sort=False).agg(how)
    items = costs.drop_duplicates([*key, "task", "item"]).groupby(key, sort=False).size()
    used = one.joined.rows.groupby(key, sort=False)["n_samples"].sum()
    table["items"], table["used"] = items, used
    return table.fillna({"used": 0}).reset_index().astype({"used": np.int64})
