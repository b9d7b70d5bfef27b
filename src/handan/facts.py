"""What every verdict stands on: how many models, items and rows, which measure, which ceiling."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from handan.findings.families import Families
    from handan.inputs import Inputs


def study_facts(one: Inputs) -> pd.DataFrame:
    """Count what a table of costs holds.

    Parameters
    ----------
    one : Inputs
        Costs beside norms, of one study or several.

    Returns
    -------
    DataFrame
        A row per study, as `handan.battery.Battery` describes it.
    """
    from handan.findings.join import ceilings

    rows = one.joined.rows
    cells = rows.groupby(["study", "task", "model"], as_index=False)["truncated"].mean()
    cells["ceiling"] = ceilings(cells, one.reliability)
    for end in ("low", "high"):
        cells[f"ceiling_{end}"] = ceilings(cells, one.reliability, end)
    found = []
    for study, part in rows.groupby("study", sort=False):
        lost = one.joined.excluded
        found.append(
            dict(study=study, measure=one.measure, n_models=part["model"].nunique())
            | dict(n_tasks=part["task"].nunique(), n_items=len(part[["task", "item"]].drop_duplicates()))
            | dict(
                n_rows=int(part["n_samples"].sum()), excluded=int(lost.loc[lost["study"] == study, "n"].sum())
            )
            | cells.loc[cells["study"] == study, ["ceiling", "truncated"]].mean().to_dict()
            | _ceiling_ends(cells[(cells["study"] == study) & cells["ceiling"].notna()])
            | dict(families=False, timed=bool(one.norms["log_rt"].notna().any()))
        )
    return pd.DataFrame(found)


def _ceiling_ends(known: pd.DataFrame) -> dict[str, float]:
    """Average the ends over the cells behind the ceiling; NaN as soon as one has none."""
    ends = known[["ceiling_low", "ceiling_high"]]
    return ends.mean(skipna=False).to_dict()


def family_facts(families: Families | None) -> list[pd.DataFrame]:
    """Count what a study of families holds.

    Parameters
    ----------
    families : Families or None
        Findings on families of tiny models.

    Returns
    -------
    list of DataFrame
        One table with one row; none without families.
    """
    if families is None:
        return []
    table = families.conditions
    whole = table[table["task"] == "all"] if (table["task"] == "all").any() else table
    models = families.models
    facts: Mapping[str, Any] = dict(
        study=table["study"].iloc[0], measure="human response time; tiny models", timed=True,
        n_models=models["model"].nunique(),
        n_tasks=models.loc[models["task"] != "all", "task"].nunique(), n_items=whole["n_items"].max(),
        n_rows=float("nan"), excluded=int(models.loc[models["task"] != "all", "excluded"].sum()),
        ceiling=table.loc[table["task"] != "all", "ceiling"].mean(), ceiling_low=float("nan"),
        ceiling_high=float("nan"),
        truncated=whole["truncated"].mean(),
        families=True,
    )  # fmt: skip
    return [pd.DataFrame([facts])]
