"""Multipliers of several pairs pooled, with one interval: the form in which a law is claimed.

The pairs of a task share its items, and one item bootstrap serves them all; so a mean over
pairs is taken draw by draw, which keeps what the pairs have in common. Tasks are resampled
independently of each other. Pairs and tasks are fixed: the interval says how far other items
could move the mean, not how far other models could.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from handan.findings.constancy import law
from handan.findings.verdict import FEWEST, enough
from handan.formats import number
from handan.stats.percentile import end_errors, percentile_interval

BASELINES = ("true base", "instruct sibling")
# Where a study has both kinds of baseline, all of its students are in one row too.
ANY_BASELINE = "any baseline"
COLUMNS = [
    *("study", "relation", "n_pairs", "n_tasks", "n_items", "largest"),
    *("multiplier", "multiplier_low", "multiplier_high"),
    *("change", "change_low", "change_high"),
    *("verdict", "on_edge", "sentence"),
    *("ceiling", "truncated_student", "truncated_reference", "note"),
]
_REFERENCE = {"own teacher": "teacher", ANY_BASELINE: "base or instruct sibling"}


def pooled_rows(pairs: pd.DataFrame) -> pd.DataFrame:
    """Pool the multipliers of pairs within a study and a relation.

    Parameters
    ----------
    pairs : DataFrame
        Rows of `handan.findings.inflation.measure` with ``geometric_draws, change_draws``
        (ndarrays of logs); may be empty.

    Returns
    -------
    DataFrame
        A row per study × relation, and ``any baseline`` for true bases and instruct siblings
        together where a study has both. ``n_pairs, n_tasks, n_items`` (items where both
        costs are above zero, summed over tasks, and in the ``largest``); ``multiplier``, the
        geometric mean over pairs and tasks of the mean ratio of costs, and ``change``, that of
        the factor per standard deviation of difficulty, each with its 95 % item-bootstrap
        interval (``_low, _high``); ``verdict``, ``on_edge`` and ``sentence`` by
        `handan.findings.constancy.law`; ``ceiling`` and ``truncated_student,
        truncated_reference``, means over the rows;
        ``note`` says which rows could not be pooled. No pair, no row.
    """
    rows = []
    if not pairs.empty:
        for study, part in pairs.groupby("study", sort=False):
            relations = dict(list(part.groupby("relation", sort=False)))
            if set(BASELINES) <= set(relations):
                relations[ANY_BASELINE] = part[part["relation"].isin(BASELINES)]
            rows += [_pooled(str(study), str(name), rows_) for name, rows_ in relations.items()]
    return pd.DataFrame(rows, columns=COLUMNS)


def _pooled(study: str, relation: str, part: pd.DataFrame) -> dict[str, Any]:
    part = part.assign(above=part["n"] - part["n_zero"])
    usable = part[part["geometric"].notna()]
    usable = usable[enough(usable["above"])]
    changing = usable[usable["change_low"].notna()]
    row: dict[str, Any] = dict(study=study, relation=relation, n_tasks=usable["task"].nunique())
    row["n_pairs"] = len(usable[["student", "reference"]].drop_duplicates())
    row["n_items"] = int(usable.groupby("task")["above"].max().sum())
    largest = int(usable["above"].max()) if len(usable) else 0
    row |= _mean(usable, "geometric", "multiplier")[0]
    change, errors = _mean(changing, "change", "change")
    row |= change
    shares = ["ceiling", "truncated_student", "truncated_reference"]
    row |= dict(largest=largest) | usable[shares].mean().to_dict()
    found = law(row["change_low"], row["change_high"], largest, errors, row["ceiling"])
    row |= dict(verdict=found["verdict"], on_edge=found["on_edge"])
    row["sentence"] = _beginning(row) + found["ending"]
    return row | {"note": _note(part, usable, changing)}


def _mean(part: pd.DataFrame, fit: str, name: str) -> tuple[dict[str, float], float]:
    """Geometric mean over rows with its interval, and the Monte Carlo error of its ends' logs."""
    if part.empty:
        return {name: np.nan, f"{name}_low": np.nan, f"{name}_high": np.nan}, 0.0
    draws = np.mean(np.stack(part[f"{fit}_draws"].tolist()), axis=0)
    sizes = part.groupby("task")["above"].max()
    ends = percentile_interval(draws, n_items=sizes.sum(), n_tasks=len(sizes))
    middle = float(np.log(part[fit].astype(float)).mean())
    values = np.exp([middle, float(ends.low), float(ends.high)])
    error = 0.0 if np.isnan(draws).all() else max(end_errors(draws, sizes.sum(), len(sizes)))
    return dict(zip((name, f"{name}_low", f"{name}_high"), map(float, values), strict=True)), error


def _beginning(row: dict[str, Any]) -> str:
    pairs = "1 pair" if row["n_pairs"] == 1 else f"{row['n_pairs']} pairs"
    tasks = "" if row["n_tasks"] < 2 else f"{row['n_tasks']} tasks, "
    alone = row["n_pairs"] == 1
    subject = "the student spends" if alone else "students spend"
    reference = f"{'its' if alone else 'their'} {_REFERENCE.get(row['relation'], row['relation'])}"
    return (
        f"In {row['study']} ({row['relation']}, {pairs}, {tasks}{row['n_items']} items) {subject} "
        f"{number(row['multiplier'])} times as much as {reference}, 95 % interval "
        f"{number(row['multiplier_low'])} to {number(row['multiplier_high'])}; with every standard deviation "
        f"of difficulty the multiplier changes by a factor of {number(row['change'], 3)}, 95 % interval "
        f"{number(row['change_low'], 3)} to {number(row['change_high'], 3)}. "
    )


def _note(part: pd.DataFrame, usable: pd.DataFrame, changing: pd.DataFrame) -> str:
    none = int(part["geometric"].isna().sum())
    few, flat = len(part) - len(usable) - none, len(usable) - len(changing)
    told = [
        f"{none} of {len(part)} rows left out: no item costs both models more than zero" if none else "",
        f"{few} of {len(part)} rows left out: fewer than {FEWEST} items" if few else "",
        f"{flat} of {len(usable)} rows say nothing about change" if flat else "",
    ]
    return "; ".join(filter(None, told))
