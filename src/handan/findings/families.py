"""Families of models over seeds: alignment by condition, and what training did to it.

The claims about large models rest on one checkpoint each, so that only items are random
there. A family can be trained again with another seed. Here seeds and items are both
random and crossed, tasks are fixed, and every comparison is made within a seed
(`handan.stats.random_factor.crossed_mean` gives the interval). The rules of the verdicts are
those for large models: `handan.findings.verdict` and `handan.findings.constancy`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from handan.findings.family_cells import changes, correlations
from handan.findings.family_members import comparisons, members
from handan.findings.family_rows import condition_row, effect_row, inflation_row, rows_by_group
from handan.findings.inflation import item_means
from handan.findings.join import Joined, ceilings
from handan.tables import check_costs

CONDITION = ["repertoire", "condition"]
EFFECT = [*CONDITION, "comparison"]
LAW = [*CONDITION, "relation"]
_MEANS = ("r", "r_or_zero", "accuracy", "tokens", "truncated")
# Which side of a pair is the student, which the reference, and how the reference is related.
MULTIPLES = {"collapse": ("b", "a", "own teacher"), "transfer": ("a", "b", "true base")}


@dataclass(frozen=True)
class Families:
    """What a study of families shows; every table has a row per group of tasks (``task``).

    Attributes
    ----------
    models : DataFrame
        A row per model: ``study, repertoire, condition, seed, role, model, task, n`` items,
        ``r`` (NaN where the cost is the same on every item of a task), ``r_or_zero``, and from
        the costs ``accuracy`` (correct samples of all; one that can't be graded is not
        correct), ``tokens`` (mean cost of a sample), ``truncated`` (share cut at the limit),
        ``excluded`` (cost rows that the join could not use). Means over the tasks of a group.
    conditions : DataFrame
        A row per repertoire × condition: ``role, n_seeds, n_items, n_undefined`` (seeds in which r
        does not exist in some task), ``r`` (mean over the other seeds, with ``low, high``),
        ``r_min, r_max`` over seeds, ``r_or_zero`` (mean over all seeds, 0 where r does not
        exist, with ``zero_low, zero_high``), ``ceiling``, ``accuracy, tokens, truncated``
        (means over tasks and seeds), ``excluded`` (cost rows that the join could not use)
        and ``note``.
    effects : DataFrame
        A row per repertoire × condition × comparison (see
        `handan.findings.family_members.comparisons`): ``n_seeds, n_items, n_undefined`` (seeds
        in which a correlation does not exist and stands as 0), mean ``r_a, r_b`` and
        ``difference`` with ``low, high``, its ``sd`` over seeds, ``verdict``, ``on_edge``,
        ``sentence`` and ``note``.
    inflation : DataFrame
        A row per repertoire × condition × ``relation`` (``own teacher``, ``true base``):
        ``n_seeds, n_items, n_undefined`` (seeds without a ratio, left out), ``multiplier``
        (geometric mean ratio of item mean costs) and ``change`` per standard deviation of
        difficulty, both with ``_low, _high``, ``verdict``, ``on_edge``, ``sentence``,
        ``note``. Empty without costs.

    Notes
    -----
    An interval is 95 %, over seeds and items; with one seed over items alone, and the note
    says so. Every row is a claim of its own; nothing is corrected for their number.
    """

    models: pd.DataFrame
    conditions: pd.DataFrame
    effects: pd.DataFrame
    inflation: pd.DataFrame


def families(
    joined: Joined,
    lineage: pd.DataFrame,
    reliability: pd.DataFrame | None = None,
    costs: pd.DataFrame | None = None,
    *,
    tasks: Mapping[str, Sequence[str]] | None = None,
    cost: str = "reasoning_tokens",
    n_boot: int = 2_000,
    seed: int = 0,
) -> Families:
    """Average alignment, effects of training and inflation over the seeds of every condition.

    A model whose cost never varies carries no information about people. Its r stays NaN
    and is counted; in ``r_or_zero`` and in the effects it is 0, because leaving such seeds out
    would select on the outcome.

    Parameters
    ----------
    joined : Joined
        Costs beside norms, from `handan.findings.join.join`. The join drops samples that cost
        nothing (their log does not exist): where models may answer at once, join a cost that
        counts the answer too.
    lineage : DataFrame
        With ``condition, repertoire, seed``; other models take no part.
    reliability : DataFrame, optional
        Gives the noise ceilings.
    costs : DataFrame, optional
        The costs that were joined: give accuracy, tokens and inflation.
    tasks : mapping of str to sequence of str, optional
        Tasks of each group. By default every task, and ``all`` of them together.
    cost : str
        The cost column.
    n_boot, seed : int
        Item bootstrap.

    Returns
    -------
    Families

    Raises
    ------
    LookupError
        When the lineage has no families, none was measured, or a task is not there.
    TableError
        When the lineage's families are inconsistent.
    ValueError
        When the families' costs are of several studies.
    """
    family, study = _measured_family(joined, members(lineage))
    pairs = comparisons(family)
    cells, contrasts = correlations(joined, family, pairs, n_boot, seed)
    groups = _groups(list(dict.fromkeys(cells["task"])), tasks)
    cells = cells.merge(_spent(joined, costs, cost), on=["task", "model"], how="left")
    cells.insert(0, "study", study)
    cells["ceiling"] = ceilings(cells, reliability)
    law = pd.DataFrame()
    if costs is not None:
        found = changes(joined, item_means(costs, cost), _taught(pairs), n_boot, seed)
        law = rows_by_group(found, LAW, groups, inflation_row, study)
    return Families(
        _models(cells, groups),
        rows_by_group(cells, CONDITION, groups, condition_row, study),
        rows_by_group(contrasts, EFFECT, groups, effect_row, study),
        law,
    )


def _measured_family(joined: Joined, family: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    done = pd.concat([joined.rows[["study", "model"]], joined.excluded[["study", "model"]]])
    done = done[done["model"].isin(family.index)].drop_duplicates()
    if done.empty:
        example = ", ".join(family.index[:3])
        raise LookupError(
            f"no model of a family was measured; the lineage has {len(family)}, such as {example}"
        )
    studies = done["study"].unique()
    if len(studies) > 1:
        raise ValueError(
            f"the families' costs are of {len(studies)} studies ({', '.join(studies)}); give one study's"
        )
    return family[family.index.isin(done["model"])], str(studies[0])


def _groups(present: Sequence[str], asked: Mapping[str, Sequence[str]] | None) -> Mapping[str, Sequence[str]]:
    if asked is None:
        alone = {task: [task] for task in present}
        return alone | {"all": list(present)} if len(present) > 1 else alone
    unknown = {task for names in asked.values() for task in names} - set(present)
    if unknown or not all(asked.values()):
        wrong = ", ".join(sorted(unknown)) or "a group without a task"
        raise LookupError(f"tasks names {wrong}; the families were measured on: {', '.join(present)}")
    return asked


def _models(cells: pd.DataFrame, groups: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    keys = ["study", *CONDITION, "seed", "role", "model"]
    # A mean over fewer tasks is another quantity, so one missing task leaves the group's mean missing.
    how = {name: lambda column: column.mean(skipna=False) for name in _MEANS} | {
        "n": "sum",
        "excluded": "sum",
    }
    tables = []
    for group, tasks in groups.items():
        inside = cells[cells["task"].isin(tasks)].groupby(keys, sort=False)
        whole = inside.agg(how)[inside["task"].nunique() == len(tasks)]
        tables.append(whole.reset_index().assign(task=group))
    order = [*keys, "task", "n", *_MEANS, "excluded"]
    return pd.concat(tables, ignore_index=True)[order]


def _taught(pairs: pd.DataFrame) -> pd.DataFrame:
    """Turn the pairs of a collapse and a transfer into students and what they are a multiple of."""
    parts = []
    for comparison, (student, reference, relation) in MULTIPLES.items():
        part = pairs[pairs["comparison"] == comparison].drop(columns="comparison")
        parts.append(
            part.rename(columns={student: "student", reference: "reference"}).assign(relation=relation)
        )
    return pd.concat(parts, ignore_index=True)


def _spent(joined: Joined, costs: pd.DataFrame | None, cost: str) -> pd.DataFrame:
    cell = ["task", "model"]
    lost = joined.excluded.groupby(cell)["n"].sum().rename("excluded")
    if costs is None:
        truncated = joined.rows.groupby(cell)["truncated"].mean()
        spent = truncated.to_frame().assign(accuracy=np.nan, tokens=np.nan)
    else:
        table = check_costs(costs)
        table = table[(table["stop"] != "error").fillna(True)]
        cut = (table["stop"] == "length").astype("Float64").where(table["stop"].notna()).astype("float64")
        graded = table.groupby(cell)["correct"].transform("count") > 0
        right = table["correct"].fillna(0).where(graded)
        table = table.assign(accuracy=right, tokens=table[cost], truncated=cut)
        spent = table.groupby(cell)[["accuracy", "tokens", "truncated"]].mean()
    both = spent.join(lost, how="outer").fillna({"excluded": 0}).astype({"excluded": int})
    return both[["accuracy", "tokens", "truncated", "excluded"]].reset_index()
