"""What the explorer says of a study: items with their costs, and one row of results per model and task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from handan.costs import ORGANISM, Study, load_study
from handan.findings.alignment import align
from handan.findings.join import Joined, join
from handan.lineage import NOT_PLACED, load_lineage, roles_of
from handan.organism.study import COST

TOKENS = "reasoning tokens"
# These two studies have no count of the reasoning alone (see their data cards).
_UNITS = {"pretrained-bases": "words of the whole output", ORGANISM: "tokens of the whole output"}
_FAMILY = 0  # seed of the organism's families that come with the package


@dataclass(frozen=True)
class Evidence:
    """A study, as the explorer shows it.

    Attributes
    ----------
    study : Study
        Its tables.
    joined : Joined
        Costs beside norms, a row per model and item.
    aligned : DataFrame
        See `handan.findings.alignment.align`, with a column ``role``.
    unit : str
        What was counted, in the plural.
    first, second : str
        The models that are shown before a reader chooses; `second` is empty where the study has one.
    """

    study: Study
    joined: Joined
    aligned: pd.DataFrame
    unit: str
    first: str
    second: str


def evidence(name: str, *, n_boot: int = 1_000, seed: int = 0) -> Evidence:
    """Compute what is shown of a recorded study.

    Parameters
    ----------
    name : str
        One of `handan.costs.studies`, or ``organism``, of which the families of one seed are shown.
    n_boot : int
        Resamples of items behind each interval.
    seed : int
        Seed of the resamples.

    Raises
    ------
    LookupError
        When there is no such study; the message lists those there are.
    """
    study = load_study(name)
    unit = _UNITS.get(name, TOKENS)
    if study.lineage is None:
        return evidence_of(study, unit=unit, n_boot=n_boot, seed=seed)
    lineage = study.lineage[study.lineage["seed"] == _FAMILY]
    family = replace(study, costs=study.costs[study.costs["model"].isin(lineage["model"])])
    return evidence_of(family, cost=COST, unit=unit, n_boot=n_boot, seed=seed)


def evidence_of(
    study: Study,
    *,
    cost: str = "reasoning_tokens",
    unit: str = TOKENS,
    n_boot: int = 1_000,
    seed: int = 0,
) -> Evidence:
    """Compute what is shown of any study, for example of one's own.

    Parameters
    ----------
    study : Study
        Its tables; without a lineage of its own, the packaged one tells the roles.
    cost : str
        The cost column.
    unit : str
        What that column counts, in the plural.
    n_boot, seed : int
        The item bootstrap behind each interval.

    Raises
    ------
    NoOverlap, TableError
        See `handan.findings.join.join`.
    LookupError
        When the lineage doesn't know a model.
    """
    joined = join(study.costs, study.norms, cost)
    aligned = align(joined, study.reliability, n_boot=n_boot, seed=seed)
    lineage = load_lineage() if study.lineage is None else study.lineage
    roles = roles_of(aligned["model"].unique(), lineage)
    if missing := [model for model, role in roles.items() if role == NOT_PLACED]:
        raise LookupError(
            f"{study.name}: the lineage has no row for {', '.join(missing)}; add one with its role"
        )
    aligned["role"] = aligned["model"].map(roles)
    return Evidence(study, joined, aligned, unit, *_start(roles, lineage))


def table(found: Sequence[Evidence]) -> pd.DataFrame:
    """Give the numbers of every cell that can be chosen: a row per study, task and model.

    Returns
    -------
    DataFrame
        ``study, task, model, role, n, r, boot_low, boot_high, ceiling, percent_cut``: r with
        its 95 % item-bootstrap interval, and the percentage of traces cut at the limit.
    """
    rows = pd.concat([one.aligned for one in found], ignore_index=True)
    rows["percent_cut"] = 100 * rows["truncated"]
    columns = ["study", "task", "model", "role", "n", "r", "boot_low", "boot_high", "ceiling", "percent_cut"]
    return rows[columns]


def _start(roles: Mapping[str, str], lineage: pd.DataFrame) -> tuple[str, str]:
    """Choose a teacher and a student of its own; where there is no such pair, any teacher and any student."""
    taught_by = lineage.set_index("model")["teacher"].fillna("")
    teachers, students = ([one for one in roles if roles[one] == role] for role in ("teacher", "student"))
    for teacher in teachers:
        for student in students:
            if taught_by[student] == teacher:
                return teacher, student
    first, *rest = dict.fromkeys([*teachers[:1], *students[:1], *roles])
    return first, rest[0] if rest else ""
