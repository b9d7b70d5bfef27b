"""What a study could have seen: the smallest drop that its items and models would show.

A verdict of *cannot tell* says little unless one knows what the study was able to tell. The
question is answered without the difference that was found. Taken from the data are only the
number of items, how well one side follows people, and how alike the models are beside
people; the difference is then varied, and the rule of `handan.findings.verdict` is applied
to it by the formulas of `handan.stats.power`.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd

from handan.findings.contrast import placed
from handan.findings.join import Joined, ceilings
from handan.findings.likeness import TaskPairs, comparisons
from handan.findings.verdict import COLLAPSE, FEWEST, PAPER, SMALLEST, TRANSFER, Claim
from handan.lineage import pairs
from handan.stats.pair_design import ImpossibleDesign, PairDesign
from handan.stats.power import Errors, design_errors, rule_shares

COLUMNS = [
    *("study", "claim", "relation", "n_pairs", "n_tasks", "n_items", "r_a", "r_b", "between"),
    *("alike_a", "alike_b", "ceiling", "half_width", "smallest_drop", "power_for_paper", "note"),
]
_HALVINGS = 40
_NORMAL_95 = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True)
class _Task:
    """The pairs of one task, averaged, and its number of items."""

    design: PairDesign
    n_items: float

    def at(self, r_a: float, r_b: float) -> _Task:
        """Keep all likenesses, and let the models follow people otherwise."""
        old = self.design
        likeness = (old.own, old.alike_a, old.alike_b, old.across)
        return _Task(PairDesign(r_a, r_b, *likeness, old.n_pairs), self.n_items)


def detectable(
    joined: Joined,
    lineage: pd.DataFrame,
    reliability: pd.DataFrame | None = None,
    *,
    power: float = 0.8,
    n_items: int | None = None,
) -> pd.DataFrame:
    """Find the smallest difference that every comparison would support with this power.

    Parameters
    ----------
    joined : Joined
        Costs beside norms.
    lineage : DataFrame
        Who taught whom.
    reliability : DataFrame, optional
        See `handan.tables`; gives the ceilings.
    power : float
        Probability of the verdict *supported*.
    n_items : int, optional
        Items per task that the same models could be given; by default those they were.

    Returns
    -------
    DataFrame
        `COLUMNS`, a row per study × claim × relation, and one for ``all`` where there are
        several, as in `handan.findings.contrast.Contrast.pooled`. ``r_a, r_b`` and ``between``
        (the two models of a pair with each other) are means over pairs; ``alike_a, alike_b``
        say how alike the models of one side are beside people (NaN for a single pair);
        ``ceiling`` is the lowest of the pooled tasks; ``half_width`` of a 95 % interval by formula;
        ``smallest_drop``: of students below the teachers in a collapse (students staying at
        ``r_b``), of students below the baselines in a transfer (baselines staying at
        ``r_b``); ``power_for_paper``, for a drop from 0.64 to 0.34, in a collapse only, as no
        size of the transfer is known. Both are for pairs that are as alike as these, and without
        a task of `FEWEST` items there is no such drop and no power. ``note`` says what is
        missing and why.

    Raises
    ------
    ValueError
        When `power` is not between 0 and 1, or `n_items` below 2.
    """
    if not 0 < power < 1 or (n_items is not None and n_items < 2):
        raise ValueError(
            f"power must lie between 0 and 1 and n_items be 2 or more, got {power} and {n_items}"
        )
    models, _ = placed(joined, lineage)
    rows = []
    for claim in (COLLAPSE, TRANSFER):
        present = pairs(lineage, models, "collapse" if claim is COLLAPSE else "transfer")
        for study, relation, found in comparisons(joined, present):
            known = pd.DataFrame({"study": study, "task": [one.task for one in found if len(one.usable)]})
            ceiling = float(ceilings(known, reliability).min())
            row = _row(found, claim, power, n_items, ceiling)
            rows.append(dict(study=study, claim=claim.name, relation=relation) | row)
    counts = dict.fromkeys(("n_pairs", "n_tasks", "n_items"), "int64")
    numbers = dict.fromkeys(COLUMNS[6:-1], "float64")
    text = dict.fromkeys(("study", "claim", "relation", "note"), "str")
    return pd.DataFrame(rows, columns=COLUMNS).astype(counts | numbers | text)


def _row(
    found: list[TaskPairs], claim: Claim, power: float, n_items: int | None, ceiling: float
) -> dict[str, Any]:
    kept = [one for one in found if len(one.usable)]
    usable = pd.concat([one.usable for one in found])
    row: dict[str, Any] = dict(
        n_pairs=len(usable[["a", "b"]].drop_duplicates()),
        n_tasks=len(kept),
        n_items=sum(int(one.usable["n"].max()) if n_items is None else n_items for one in kept),
        **usable[["r_a", "r_b", "between"]].mean().to_dict(),
        ceiling=ceiling,
    )
    notes = _left_out(pd.concat([one.cells for one in found]))
    try:
        tasks = [_Task(one.design(), one.usable["n"].mean() if n_items is None else n_items) for one in kept]
        if tasks:
            largest = int(max(one.usable["n"].max() for one in kept)) if n_items is None else n_items
            row |= _answers(tasks, claim, power, largest, ceiling, notes)
    except ImpossibleDesign as error:
        notes.append(str(error))
    return row | dict(note="; ".join(notes))


def _left_out(cells: pd.DataFrame) -> list[str]:
    """Say how many cells aren't pooled, and why."""
    undefined = cells["between"].isna()
    small = ~undefined & ~cells["pooled"]
    reasons = (("without a correlation", undefined), (f"with fewer than {FEWEST} items", small))
    return [
        f"{lost.sum()} of {len(cells)} comparisons {reason} left out"
        for reason, lost in reasons
        if lost.any()
    ]


def _answers(
    tasks: list[_Task], claim: Claim, power: float, largest: int, ceiling: float, notes: list[str]
) -> dict[str, float]:
    answers = {"half_width": _NORMAL_95 * _errors(tasks).truth}
    several = [task.design for task in tasks if task.design.n_pairs > 1]
    if several:
        answers["alike_a"] = float(np.mean([design.alike_a for design in several]))
        answers["alike_b"] = float(np.mean([design.alike_b for design in several]))
    decides = largest >= FEWEST
    if not decides:
        notes.append(f"no task with {FEWEST} items, without which the rule never decides")
    if claim is COLLAPSE and ceiling < PAPER[0]:
        notes.append(f"an r of {PAPER[0]:.2f} is beyond the ceiling of {ceiling:.2f}")
    elif claim is COLLAPSE:
        answers["power_for_paper"] = decides * _supported([task.at(*PAPER) for task in tasks], claim.sign)
    if decides:
        answers["smallest_drop"] = _smallest_drop(tasks, claim.sign, power)
        if np.isnan(answers["smallest_drop"]):
            notes.append(f"not even the largest drop that is possible has a power of {power:g}")
    return answers


def _smallest_drop(tasks: list[_Task], sign: int, power: float) -> float:
    """Search the smallest difference by halving; b keeps its r, and a lies above it (sign 1) or below."""

    def _seen(drop: float) -> float:
        return _supported([task.at(task.design.r_b + sign * drop, task.design.r_b) for task in tasks], sign)

    low, high = 0.0, min(1 - sign * task.design.r_b for task in tasks) * (1 - 1e-9)
    if _seen(high) < power:
        return np.nan
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if _seen(middle) >= power else (middle, high)
    return high


def _supported(tasks: list[_Task], sign: int) -> float:
    difference = _shares(tasks) @ np.array([task.design.difference for task in tasks])
    return rule_shares(sign * float(difference), _errors(tasks), SMALLEST).supported


def _errors(tasks: list[_Task]) -> Errors:
    """Errors of the mean over tasks, whose items have nothing in common."""
    single = np.array([design_errors(task.design, task.n_items, SMALLEST) for task in tasks])
    return Errors(*np.sqrt(_shares(tasks) ** 2 @ single**2))


def _shares(tasks: list[_Task]) -> np.ndarray:
    """Each task's share of the cells that a pooled comparison averages."""
    cells = np.array([task.design.n_pairs for task in tasks], dtype=float)
    return cells / cells.sum()
