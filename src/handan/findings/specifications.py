"""The specification curve: every defensible way to compute one difference, computed.

A specification takes one level of every choice. `CHOICES` was fixed before any result was
seen. The levels are ours: they are neither a sample of what one could do nor all of it.
See Simonsohn, Simmons and Nelson (2020, doi:10.1038/s41562-020-0912-z) and Steegen et al.
(2016, doi:10.1177/1745691616658637).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from handan.findings.contrast import placed
from handan.findings.specification_data import FloatArray, Task, tasks_of
from handan.findings.specification_estimate import Estimate, average, contributions
from handan.findings.specification_sides import Choice, Sides, models_of, sides, unsupported
from handan.findings.verdict import CANNOT_TELL, COLLAPSE, FEWEST, TRANSFER, Claim, verdict
from handan.lineage import Kind, pairs

if TYPE_CHECKING:
    from handan.inputs import Inputs

CLAIMS: dict[Kind, Claim] = {"collapse": COLLAPSE, "transfer": TRANSFER}
EVERY = {"collapse": "every teacher", "transfer": "every baseline"}
NEAREST = {"collapse": "own teacher", "transfer": "true base"}
DATA_CHOICES = {
    "cost": ("reasoning_tokens", "output_tokens", "n_chars"),
    "scale": ("log", "raw"),
    "human": ("log", "as is"),
    "correlation": ("pearson", "spearman"),
    "prompt": ("ignored", "partialled out"),
    "answers": ("all", "right only", "both right"),
    "truncated": ("kept", "dropped"),
}
AVERAGING = ("plain", "fisher")
CHOICES = (*DATA_CHOICES, "relation", "averaging")
COLUMNS = [
    *("study", "claim", "specification", *CHOICES, "n_pairs", "n_tasks", "n_items", "difference"),
    *("low", "high", "verdict", "run", "note"),
]

_DECIMALS = 10


@dataclass(frozen=True)
class Explored:
    """Specifications of one study and claim, with what their estimates hang on.

    Attributes
    ----------
    table : DataFrame
        As `specifications` gives it, of one study.
    deviations : ndarray of shape (items, specifications that were run)
        What each item adds to each estimate (see `handan.findings.specification_estimate`);
        summed in groups where there are very many.
    reach : ndarray of shape (specifications that were run,)
        Half of the length of each interval.
    """

    table: pd.DataFrame
    deviations: FloatArray
    reach: FloatArray


def specifications(inputs: Inputs, lineage: pd.DataFrame, claim: Kind) -> pd.DataFrame:
    """Compute a claim's difference under every combination of choices.

    Parameters
    ----------
    inputs : Inputs
        The tables of one or several studies.
    lineage : DataFrame
        Who taught whom.
    claim : {"collapse", "transfer"}
        Teachers minus students, or students minus baselines.

    Returns
    -------
    DataFrame
        `COLUMNS`, a row per study × specification: the level of every choice; ``n_pairs,
        n_tasks, n_items`` behind it; the mean ``difference`` of the correlations with its 95 %
        interval ``low, high`` (jackknife over items, Student's t; models as given); the
        ``verdict`` by the rule of `handan.findings.verdict`; ``run``, whether it counts as
        one of the specifications, and ``note``, why not, or how many pairs are missing.

        Not run is what the study does not support, what leaves fewer than `FEWEST` items, and
        what gives the same numbers as an earlier specification.

    Raises
    ------
    LookupError
        When the claim is unknown.
    """
    found = [one.table for one in explore(inputs, lineage, claim)]
    return pd.concat(found, ignore_index=True)[COLUMNS]


def explore(inputs: Inputs, lineage: pd.DataFrame, claim: Kind) -> Iterator[Explored]:
    """Do the work of `specifications`, study by study.

    Yields
    ------
    Explored

    Raises
    ------
    LookupError
        When the claim is unknown.
    """
    if claim not in CLAIMS:
        raise LookupError(f"no claim {claim!r}; there are: {', '.join(CLAIMS)}")
    costs = list(dict.fromkeys([*DATA_CHOICES["cost"], inputs.cost]))
    tasks = tasks_of(inputs, costs)
    known = placed(inputs.joined, lineage)[0]
    for study in dict.fromkeys(task.study for task in tasks):
        here = [task for task in tasks if task.study == study]
        present = {model for task in here for model in task.models}
        compared = pairs(lineage, [name for name in known if name in present], claim)
        yield explore_study(here, compared, CLAIMS[claim], costs)


def explore_study(tasks: list[Task], compared: pd.DataFrame, claim: Claim, costs: list[str]) -> Explored:
    """Compute all specifications of one study.

    Parameters
    ----------
    tasks : list of Task
        Of one study.
    compared : DataFrame
        ``a, b, relation``, the pairs.
    claim : Claim
        What the paper says about their difference.
    costs : list of str
        The levels of the cost column.
    """
    rows: list[dict[str, Any]] = []
    estimates: list[Estimate] = []
    seen: dict[tuple[float, ...], int] = {}
    for levels, found, reason in _estimates(tasks, compared, members(compared, claim.name), costs):
        place = dict(study=tasks[0].study, claim=claim.name, specification=len(rows) + 1)
        if found is not None and not reason:
            earlier = seen.setdefault(_key(found), len(rows) + 1)
            if earlier <= len(rows):
                reason = f"the same numbers as specification {earlier}"
            else:
                estimates.append(found._replace(deviations=contributions(found.deviations)))
        lost = _lost(found) if found is not None else ""
        rows.append({**place, **levels, **_numbers(found, claim), "run": not reason, "note": reason or lost})
    table = pd.DataFrame(rows, columns=COLUMNS)
    if not estimates:
        return Explored(table, np.zeros((0, 0)), np.zeros(0))
    deviations = np.column_stack([one.deviations for one in estimates])
    return Explored(table, deviations, np.array([one.reach for one in estimates]))


def data_choices(costs: list[str]) -> Iterator[Choice]:
    """Cross the choices about what is correlated.

    Parameters
    ----------
    costs : list of str
        The levels of the cost column.
    """
    levels = {**DATA_CHOICES, "cost": tuple(costs)}
    for combination in product(*levels.values()):
        yield Choice(**dict(zip(levels, combination, strict=True)))


def members(compared: pd.DataFrame, claim: str) -> dict[str, np.ndarray]:
    """Positions of the pairs of each relation; the nearest first, all of them last.

    Parameters
    ----------
    compared : DataFrame
        ``relation``, a row per pair.
    claim : {"collapse", "transfer"}
        Gives the names of the first and the last relation, which are always there.
    """
    relation = compared["relation"].to_numpy(dtype=object)
    names = [NEAREST[claim]] + (["instruct sibling"] if claim == "transfer" else [])
    found = {name: np.flatnonzero(relation == name) for name in names}
    return {**found, EVERY[claim]: np.arange(len(compared))}


def _estimates(
    tasks: list[Task], compared: pd.DataFrame, relations: dict[str, np.ndarray], costs: list[str]
) -> Iterator[tuple[dict[str, str], Estimate | None, str]]:
    """Yield the levels of every specification, its estimate, and why it does not count."""
    models = {name: models_of(compared.iloc[chosen]) for name, chosen in relations.items()}
    for choice in data_choices(costs):
        parts: list[Sides] = []
        for relation, chosen in relations.items():
            reason = unsupported(tasks, models[relation], choice)
            if not reason and not parts:
                parts = [sides(task, compared, choice) for task in tasks]
            for averaging in AVERAGING:
                levels = {**_levels(choice), "relation": relation, "averaging": averaging}
                if reason:
                    yield levels, None, reason
                else:
                    found = average(parts, chosen, averaging)
                    yield levels, found, _reason(found, parts, chosen)


def _levels(choice: Choice) -> dict[str, str]:
    return {name: getattr(choice, name) for name in DATA_CHOICES}


def _reason(found: Estimate, parts: list[Sides], chosen: np.ndarray) -> str:
    """Why an estimate does not count; empty where it does."""
    if found.n_pairs == 0:
        few = average(parts, chosen, fewest=0).n_pairs
        return f"fewer than {FEWEST} items" if few else "no correlation is defined"
    if np.isnan(found.value):
        return "a correlation is exactly 1 or -1"
    return "a correlation hangs on a single item" if np.isnan(found.reach) else ""


def _key(found: Estimate) -> tuple[float, ...]:
    return (*np.round([found.value, found.error], _DECIMALS), found.n_items, found.n_pairs)


def _lost(found: Estimate) -> str:
    if not found.lost:
        return ""
    pairs_in_all = found.lost + found.n_pairs
    return f"{found.lost} of {pairs_in_all} pairs left out: fewer than {FEWEST} items or no correlation"


def _numbers(found: Estimate | None, claim: Claim) -> dict[str, Any]:
    if found is None:
        return dict(n_pairs=0, n_tasks=0, n_items=0, difference=np.nan, low=np.nan, high=np.nan, verdict="")
    low, high = found.value - found.reach, found.value + found.reach
    counts = dict(n_pairs=found.n_pairs, n_tasks=found.n_tasks, n_items=found.n_items)
    named = verdict(low, high, claim.sign) if found.n_items >= FEWEST else CANNOT_TELL
    return dict(counts, difference=found.value, low=low, high=high, verdict=named)
