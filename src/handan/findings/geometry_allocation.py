"""Whether a student's fingerprint is nearer to that of its base or to that of its teacher.

Third parties report that the paper compares fingerprints; that students keep the allocation
of their base is our reading of its argument, not a number known from it. The rule of the verdict
is that of `handan.findings.verdict`, with the same smallest difference.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from handan.findings.fingerprint import Fingerprints
from handan.findings.fingerprint_pairs import affordable, pair_draws, pair_values
from handan.findings.geometry_kin import BASELINES, Kin
from handan.findings.geometry_pairs import Similarity
from handan.findings.verdict import FEWEST, Claim, enough, judge
from handan.stats._common import FloatArray
from handan.stats.percentile import end_errors, percentile_interval
from handan.stats.similarity import disattenuated

MEANS_ONLY = " The models are means over seeds, and the interval speaks for items, not for other seeds."


def claim(relation: str) -> Claim:
    """Word the claim for one kind of baseline.

    Parameters
    ----------
    relation : str
        ``true base``, ``instruct sibling`` or ``all``.
    """
    base = {"true base": "base", "instruct sibling": "instruct sibling"}.get(relation, "baseline")
    return Claim(
        "allocation",
        f"the claim that students keep the allocation of their {base}",
        f"students and their {base}s",
        "students and their own teachers",
        +1,
    )


def allocation_rows(
    found: Similarity, kin: Kin, n_boot: int, seed: int, is_mean: bool = False
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Compare r with the own baseline and r with the own teacher, for every student and pooled.

    Parameters
    ----------
    found : Similarity
        Of one study.
    kin : Kin
        Says who the teacher and the baselines are.
    n_boot, seed : int
        Item bootstrap.
    is_mean : bool
        Whether the models are means over seeds.

    Returns
    -------
    tuple of (list of dict, list of dict)
        A row per student and baseline, and a row per kind of baseline: ``n_items`` of the pair
        with the most, and in the ``largest`` task, by which the verdict goes. A pair without a
        task of `FEWEST` items is not pooled where others have one; its ``note`` says so. Both
        are empty where no student was measured with its own teacher and a baseline.
    """
    triples = _triples(found.prints.names, kin)
    if triples.empty:
        return [], []
    student, teacher, base = (triples[name].to_numpy() for name in ("student", "teacher", "base"))
    n_items = sum(len(task.matrix) for task in found.prints.tasks)
    n = affordable(n_boot, 2 * len(triples), n_items)
    taught = pair_values(found.prints, student, teacher, base)
    based = pair_values(found.prints, student, base, teacher)
    draws = pair_draws(found.prints, student, base, n, seed, teacher)
    draws -= pair_draws(found.prints, student, teacher, n, seed, base)
    interval = percentile_interval(draws, n_items=based["n"], n_tasks=based["n_tasks"])
    table = pd.DataFrame({"study": found.prints.study, "relation": triples["relation"]})
    for name in ("student", "teacher", "base"):
        table[name] = [found.prints.names[k] for k in triples[name]]
    table = table.assign(
        n=based["n"], r_teacher=taught["r"], r_base=based["r"], difference=based["r"] - taught["r"]
    )
    table = table.assign(
        low=interval.low, high=interval.high, corrected=_corrected(based) - _corrected(taught)
    )
    known = table["difference"].notna()
    table["largest"] = _largest_tasks(found.prints, student, base, teacher)
    table["pooled"] = known & enough(table["largest"].where(known))
    table["note"] = np.select(
        [~known, ~table["pooled"]],
        ["no r with both on the same items", f"not pooled: fewer than {FEWEST} items in every task"],
        "",
    )
    return table.to_dict("records"), _pooled(table.assign(n_tasks=based["n_tasks"]), draws, is_mean)


def _triples(names: tuple[str, ...], kin: Kin) -> pd.DataFrame:
    models = names[:-1]
    rows = [
        (relation, models.index(student), models.index(str(kin.own(student, "teacher"))), models.index(base))
        for student in models
        if kin.role(student) == "student" and kin.own(student, "teacher") in models
        for relation, base in kin.baselines(student, models)
        if base != kin.own(student, "teacher")
    ]
    return pd.DataFrame(rows, columns=["relation", "student", "teacher", "base"])


def _largest_tasks(
    prints: Fingerprints, student: np.ndarray, base: np.ndarray, teacher: np.ndarray
) -> np.ndarray:
    """Count the items that the three share in the task that gives each comparison the most."""
    tasks = (replace(prints, tasks=(task,)) for task in prints.tasks)
    return np.max([pair_values(one, student, base, teacher)["n"] for one in tasks], axis=0)


def _corrected(values: pd.DataFrame) -> FloatArray:
    sides = (np.clip(values[f"reliability_{side}"].to_numpy(float), -1, 1) for side in "ab")
    r = disattenuated(values["r"], *sides)
    # Beyond 1 the reliabilities are too uncertain for a difference to mean anything.
    return np.where(np.abs(r) <= 1, r, np.nan)


def _pooled(table: pd.DataFrame, draws: FloatArray, is_mean: bool) -> list[dict[str, Any]]:
    usable = table["pooled"].to_numpy()
    kinds = {name: usable & (table["relation"] == name).to_numpy() for name in BASELINES}
    kinds = {name: rows for name, rows in kinds.items() if rows.any()}
    if len(kinds) > 1:
        kinds["all"] = usable
    return [
        _pooled_row(name, table[rows], draws[:, rows].mean(axis=1), is_mean) for name, rows in kinds.items()
    ]


def _pooled_row(relation: str, part: pd.DataFrame, draws: FloatArray, is_mean: bool) -> dict[str, Any]:
    most = part.sort_values("n").iloc[-1]
    size = dict(n_items=int(most["n"]), n_tasks=int(most["n_tasks"]))
    interval = percentile_interval(draws, **size)
    means = part[["r_teacher", "r_base", "difference", "corrected"]].mean(skipna=False).to_dict()
    row: dict[str, Any] = dict(study=part["study"].iloc[0], relation=relation, n_pairs=len(part))
    row |= dict(n_items=size["n_items"], largest=int(part["largest"].max()))
    row |= means | dict(low=float(interval.low), high=float(interval.high))
    wording = row | dict(r_a=row["r_base"], r_b=row["r_teacher"])
    said = judge(claim(relation), wording, end_errors(draws, **size))
    said["sentence"] += MEANS_ONLY if is_mean else ""
    return row | {name: said[name] for name in ("verdict", "on_edge", "sentence")}
