"""One mixed model per study: how cost grows with difficulty, in teachers, students and baselines.

Averages of r weigh every model alike and say nothing about other models or other items. Here
all costs of a study stand in one model (`handan.stats.mixed_model`): the log cost depends on
difficulty, in units of its standard deviation within the task, on the role of the model, and on
both together, with models and items as crossed random effects and a slope of its own for every
model. An interval therefore speaks of other models of that role and of other items. How much
models differ is estimated for each role by itself, so that a role with two models has very
wide intervals: two show little of how others would be.

A slope is not an r: it is the share by which cost grows with difficulty, however much a model's
cost scatters beside it. The difference between the slopes of students and teachers is the log
of the factor by which the multiplier changes per standard deviation of difficulty, which is what
an inflation law with a constant multiplier sets to 1; the rule of its verdict stands in
`handan.findings.constancy`. Errors of the norms shrink slopes and their differences alike, by the
noise ceiling, so that an unreliable norm would let the law look better than it is: with the
reliability at hand, the rule asks whether the law would also be supported without these errors.
Traces that were cut at a limit cost at least what they cost; they are counted, not corrected.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from handan.findings.constancy import law
from handan.findings.join import Joined, ceilings
from handan.formats import listing, number
from handan.stats.mixed_model import MixedFit, NotEstimable, crossed

ROLES = ("teacher", "student", "baseline")
DIFFERENCES = (("slope", "teacher", "student"), ("slope", "student", "baseline"),
               ("level", "student", "teacher"), ("level", "student", "baseline"))  # fmt: skip
ESTIMATE = ["estimate", "se", "df", "low", "high", "p"]
FACTOR = ["factor", "factor_low", "factor_high"]
SIZE = ["n_models", "n_items", "n_rows", "truncated"]
FIXED = ["study", "term", *ESTIMATE, *FACTOR, *SIZE, "note"]
COMPONENTS = ["study", "component", "sd", "note"]
LAW = ["study", "relation", "change", "change_low", "change_high", "df", "p", *SIZE,
       "verdict", "on_edge", "sentence", "note"]  # fmt: skip
ALIKE = "fewer than two items, or equally difficult ones"


@dataclass(frozen=True)
class Mixed:
    """What the mixed models of the studies say.

    Attributes
    ----------
    fixed : DataFrame
        A row per study × term: ``slope: ROLE`` (change of the log cost per standard deviation of
        difficulty, a mean over tasks), ``slope: teacher - student``, ``slope: student - baseline``,
        ``level: student - teacher`` and ``level: student - baseline`` (log cost on an item of mean
        difficulty). ``estimate, se, df, low, high`` (95 %) and ``p`` are on the log scale;
        ``factor, factor_low, factor_high`` are the exponentials: of a difference of levels, the
        multiplier. ``n_models, n_items, n_rows`` (model × item) and ``truncated`` (share of traces
        cut at the limit) are those of the roles in the term; of a difference, the items that
        both did. ``note`` says what was left out, and why a term has no interval.
    components : DataFrame
        A row per study × component: ``sd`` of the log cost, ``note``.
    law : DataFrame
        A row per study × ``relation`` (``student / teacher``, ``student / baseline``): ``change``,
        the factor of the multiplier per standard deviation of difficulty, with
        ``change_low, change_high``, sizes, ``verdict``, ``on_edge``, ``sentence`` and ``note``.
    """

    fixed: pd.DataFrame
    components: pd.DataFrame
    law: pd.DataFrame


def mixed(joined: Joined, lineage: pd.DataFrame, reliability: pd.DataFrame | None = None) -> Mixed:
    """Fit a mixed model to every study.

    Reinforced students and models that the lineage doesn't name take no part. A role with a
    single model has no interval: nothing shows how models of that role differ.

    Parameters
    ----------
    joined : Joined
        Costs beside norms, from `handan.findings.join.join`.
    lineage : DataFrame
        At least ``model, role``.
    reliability : DataFrame or None
        See `handan.tables`. A study's verdict takes the mean noise ceiling of its tasks, as far
        as it is known.

    Returns
    -------
    Mixed
        A study without any teacher, student or baseline has one row in `fixed`, with a note.
    """
    role = lineage.drop_duplicates("model").set_index("model")["role"]
    fixed, components, laws = [], [], []
    for study, part in joined.rows.groupby("study", sort=False):
        rows, notes = _usable(part.assign(role=part["model"].map(role)))
        fit, notes = _fitted(rows, notes)
        terms = list(_terms(str(study), rows, fit, notes))
        fixed += terms or [dict(study=study, term="", note=_said(notes), n_models=0, n_items=0, n_rows=0)]
        ceiling = ceilings(rows.drop_duplicates("task"), reliability).mean()
        laws += _laws(terms, rows, float(ceiling))
        if fit is not None:
            components += fit.components.assign(study=study).to_dict("records")
    return Mixed(
        pd.DataFrame(fixed, columns=FIXED),
        pd.DataFrame(components, columns=COMPONENTS),
        pd.DataFrame(laws, columns=LAW),
    )


def _usable(rows: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Rows of the three roles with difficulty in standard deviations, and what was left out."""
    notes = []
    for name, gone in (
        ("reinforced-student", rows["role"] == "reinforced-student"),
        ("unplaced", ~rows["role"].isin([*ROLES, "reinforced-student"])),
    ):
        if n := rows.loc[gone, "model"].nunique():
            notes.append(f"{n} {name} model{'s' if n > 1 else ''} left out")
    rows = rows[rows["role"].isin(ROLES)]
    if rows.empty:
        return rows.assign(difficulty=np.nan), [*notes, "no teacher, student or baseline"]
    items = rows.drop_duplicates(["task", "item"]).set_index(["task", "item"])["human"].astype(float)
    by_task = items.groupby(level="task")
    spread = by_task.transform("std").where(by_task.transform("nunique") > 1)
    unit = ((items - by_task.transform("mean")) / spread).rename("difficulty")
    rows = rows.join(unit, on=["task", "item"])
    if (flat := rows["difficulty"].isna()).any():
        notes.append(f"left out, {ALIKE}: {listing(rows.loc[flat, 'task'].unique())}")
    return rows[~flat], notes


def _fitted(rows: pd.DataFrame, notes: list[str]) -> tuple[MixedFit | None, list[str]]:
    if rows.empty:
        return None, notes
    frame = rows.rename(columns={"log_cost": "value"})
    try:
        fit = crossed(frame)
    except NotEstimable as why:
        return None, [*notes, f"not fitted: {why}"]
    zero = fit.components.loc[fit.components["sd"] == 0, "component"]
    found = [f"no variance found of {listing(zero)}"] if len(zero) else []
    return fit, [*notes, *fit.notes, *found]


def _terms(
    study: str, rows: pd.DataFrame, fit: MixedFit | None, notes: list[str]
) -> Iterator[dict[str, Any]]:
    present = [role for role in ROLES if (rows["role"] == role).any()]
    wanted: list[tuple[str, dict[str, float]]] = [
        (f"slope: {role}", {f"slope: {role}": 1.0}) for role in present
    ]
    wanted += [
        (f"{kind}: {a} - {b}", {f"{kind}: {a}": 1.0, f"{kind}: {b}": -1.0})
        for kind, a, b in DIFFERENCES
        if a in present and b in present
    ]
    for term, weights in wanted:
        roles = [name.split(": ")[1] for name in weights]
        alone = [role for role in roles if rows.loc[rows["role"] == role, "model"].nunique() < 2]
        found = fit.combine(weights) if fit is not None else dict.fromkeys(ESTIMATE, np.nan)
        said = list(notes)
        said += [f"one {role} shows nothing of how {role}s differ: no interval" for role in alone]
        with np.errstate(over="ignore"):
            factors = np.exp([found["estimate"], found["low"], found["high"]])
        yield (
            dict(study=study, term=term)
            | found
            | dict(zip(FACTOR, factors, strict=True))
            | _size(rows, roles)
            | dict(note=_said(said))
        )


def _size(rows: pd.DataFrame, roles: list[str]) -> dict[str, Any]:
    here = rows[rows["role"].isin(roles)]
    both = here.groupby(["task", "item"])["role"].nunique() == len(roles)
    return dict(
        n_models=here["model"].nunique(),
        n_items=int(both.sum()),
        n_rows=len(here),
        truncated=float(here["truncated"].mean()),
    )


def _laws(terms: list[dict[str, Any]], rows: pd.DataFrame, ceiling: float) -> list[dict[str, Any]]:
    counted = rows.drop_duplicates("model")["role"].value_counts()
    references = {"slope: teacher - student": (-1, "teacher"), "slope: student - baseline": (1, "baseline")}
    found = [term for term in terms if term["term"] in references]
    return [_law(term, *references[term["term"]], counted, ceiling) for term in found]


def _law(
    term: Mapping[str, Any], sign: int, reference: str, counted: Mapping[str, int] | pd.Series, ceiling: float
) -> dict[str, Any]:
    ends = sorted([sign * term["low"], sign * term["high"]])
    # Beyond these an exponential is 0 or infinite, and no factor.
    change, low, high = np.exp(np.clip([sign * term["estimate"], *ends], -700, 700))
    # All items, not those of the largest task: they are one sample here, and the interval's degrees of
    # freedom count two fewer for every task. A mean over tasks would weigh a small one like a large one.
    found = law(low, high, term["n_items"], ceiling=ceiling)
    who = " and ".join(_several(counted[role], role) for role in ("student", reference))
    spread = (
        f"95 % interval {number(low, 3)} to {number(high, 3)}" if np.isfinite(low) else "without interval"
    )
    sentence = (
        f"In {term['study']} ({who}, {term['n_items']} items, mixed model) the multiplier of students "
        f"over {reference}s changes by a factor of {number(change, 3)} with every standard deviation of "
        f"difficulty, {spread}. {found['ending']}"
    )
    return dict(
        study=term["study"], relation=f"student / {reference}", change=change, change_low=low,
        change_high=high, df=term["df"], p=term["p"], verdict=found["verdict"], on_edge=found["on_edge"],
        sentence=sentence, note=term["note"], **{name: term[name] for name in SIZE},
    )  # fmt: skip


def _several(n: int, role: str) -> str:
    return f"{n} {role}{'s' if n > 1 else ''}"


def _said(notes: list[str]) -> str:
    return "; ".join(notes)
