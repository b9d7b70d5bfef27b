"""What else could make two models differ: each result again, with one choice changed at a time.

The reference is what the chapters on alignment, collapse and transfer report: log cost,
Pearson's r, all traces. Every other row departs from it in one respect, says on how many
items it rests, and by how much it moves the result. Intervals are those of the specification
curve (jackknife over items), so that the interval of a change knows that both results come
from the same items.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from handan.findings.contrast import placed
from handan.findings.specification_data import Task, tasks_of
from handan.findings.specification_estimate import Estimate, average
from handan.findings.specification_sides import Choice, Sides, models_of, sides, unsupported
from handan.findings.specifications import CLAIMS, DATA_CHOICES, EVERY, members
from handan.findings.verdict import FEWEST
from handan.lineage import Kind, pairs, roles_of

if TYPE_CHECKING:
    from handan.inputs import Inputs

ALIGNMENT = "alignment"
REFERENCE = ("reference", "as in the chapters")
# What is changed, its name in the table, and the levels of the choices behind it.
DEPARTURES: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("prompt length", "held constant (partial r)", {"prompt": "partialled out"}),
    ("prompt length", "within thirds of the length", {"prompt": "matched"}),
    ("answers", "each model's right answers", {"answers": "right only"}),
    ("answers", "items that both got right", {"answers": "both right"}),
    ("truncation", "cut traces left out", {"truncated": "dropped"}),
    ("truncation", "items with a cut trace left out", {"truncated": "items dropped"}),
    ("loops", "traces that end in a loop left out", {"loops": "dropped"}),
    ("cost", "reasoning tokens", {"cost": "reasoning_tokens"}),
    ("cost", "all output tokens", {"cost": "output_tokens"}),
    ("tokenizer", "characters in place of tokens", {"cost": "n_chars"}),
    ("scale", "raw cost", {"scale": "raw"}),
    ("human measure", "seconds, not their log", {"human": "as is"}),
    ("correlation", "Spearman", {"correlation": "spearman"}),
    ("averaging", "through Fisher's z", {"averaging": "fisher"}),
)
COLUMNS = [
    *("study", "claim", "relation", "choice", "level", "n_pairs", "n_items", "difference", "low", "high"),
    *("delta_from_reference", "delta_low", "delta_high", "note"),
]


def confounds(inputs: Inputs, lineage: pd.DataFrame) -> pd.DataFrame:
    """Compute r, collapse and transfer again, with one choice changed at a time.

    Parameters
    ----------
    inputs : Inputs
        The tables of one or several studies.
    lineage : DataFrame
        Who taught whom; models that it does not name appear in claim ``alignment`` only.

    Returns
    -------
    DataFrame
        `COLUMNS`, a row per study × claim × relation × departure, the reference first.

        - ``claim``: ``collapse``, ``transfer``, or ``alignment`` for r itself;
        - ``relation``: as in the findings; for ``alignment`` the role of the models;
        - ``n_pairs, n_items``: pairs (for ``alignment`` models) and items behind the row;
        - ``difference`` with its 95 % interval: a mean over pairs and tasks of r of `a` less r
          of `b`; for ``alignment`` the mean r;
        - ``delta_from_reference`` with its 95 % interval: what the departure changes;
        - ``note``: why there is no value, or what to mind about it.
    """
    rows: list[dict[str, Any]] = []
    tasks = tasks_of(inputs, list(dict.fromkeys([inputs.cost, *DATA_CHOICES["cost"]])))
    for study in dict.fromkeys(task.study for task in tasks):
        here = [task for task in tasks if task.study == study]
        timed = "log" in here[0].human
        reference = Choice(cost=inputs.cost, human="log" if timed else "as is")
        for claim, (compared, relations) in _comparisons(inputs, here, lineage).items():
            found = _departures(here, compared, relations, reference)
            rows += [{"study": study, "claim": claim, **row} for row in found]
    return pd.DataFrame(rows, columns=COLUMNS)


def changed(table: pd.DataFrame) -> pd.DataFrame:
    """Pick the departures that move a result by more than chance: their interval excludes 0.

    Parameters
    ----------
    table : DataFrame
        A result of `confounds`.

    Returns
    -------
    DataFrame
        Rows of the table, the largest change first.
    """
    clear = (table["delta_low"] > 0) | (table["delta_high"] < 0)
    return table[clear].sort_values("delta_from_reference", key=abs, ascending=False, ignore_index=True)


def _comparisons(
    inputs: Inputs, tasks: list[Task], lineage: pd.DataFrame
) -> dict[str, tuple[pd.DataFrame, dict[str, NDArray[np.intp]]]]:
    """Pairs of each claim, and where the pairs of each relation are among them."""
    present = list(dict.fromkeys(model for task in tasks for model in task.models))
    known = [name for name in placed(inputs.joined, lineage)[0] if name in present]
    found = {}
    for claim in CLAIMS:
        compared = pairs(lineage, known, cast(Kind, claim))
        if not compared.empty:
            groups = {name: chosen for name, chosen in members(compared, claim).items() if len(chosen)}
            # Where all pairs have the same relation, all of them are no other comparison.
            if any(len(chosen) == len(compared) for name, chosen in groups.items() if name != EVERY[claim]):
                del groups[EVERY[claim]]
            found[str(claim)] = (compared, groups)
    role = list(roles_of(present, lineage).values())
    alone = pd.DataFrame({"a": present, "b": None, "relation": role})
    by_role = {str(name): np.flatnonzero(alone["relation"] == name) for name in dict.fromkeys(role)}
    return {ALIGNMENT: (alone, by_role), **found}


def _departures(
    tasks: list[Task],
    compared: pd.DataFrame,
    relations: dict[str, NDArray[np.intp]],
    reference: Choice,
) -> list[dict[str, Any]]:
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in relations}
    start: dict[str, Estimate | None] = {}
    for choice, level, levels in ((*REFERENCE, {}), *DEPARTURES):
        changes = {name: value for name, value in levels.items() if name != "averaging"}
        asked = reference.but(**changes)
        if changes and asked == reference:
            continue
        parts: list[Sides] = []
        for relation, chosen in relations.items():
            reason = _unsupported(tasks, compared.iloc[chosen], asked)
            found = None
            if not reason:
                parts = parts or [sides(task, compared, asked) for task in tasks]
                found = average(parts, chosen, levels.get("averaging", "plain"), fewest=0)
            start.setdefault(relation, found)
            row = {"relation": relation, "choice": choice, "level": level, "note": reason}
            rows[relation].append({**row, **_numbers(found, start[relation])})
    return [row for part in rows.values() for row in part]


def _unsupported(tasks: list[Task], compared: pd.DataFrame, choice: Choice) -> str:
    if choice.answers == "both right" and compared["b"].isna().all():
        return "one model at a time"
    return unsupported(tasks, models_of(compared), choice)


def _numbers(found: Estimate | None, reference: Estimate | None) -> dict[str, Any]:
    if found is None:
        return {"n_pairs": 0, "n_items": 0}
    row: dict[str, Any] = {
        **dict(n_pairs=found.n_pairs, n_items=found.n_items, difference=found.value, note=_note(found)),
        **dict(low=found.value - found.reach, high=found.value + found.reach),
    }
    if reference is None or reference is found:
        return row
    shift = found.deviations - reference.deviations
    change = found._replace(
        value=found.value - reference.value, error=float(np.sqrt((shift**2).sum())), deviations=shift
    )
    ends = dict(delta_low=change.value - change.reach, delta_high=change.value + change.reach)
    return {**row, "delta_from_reference": change.value, **ends}


def _note(found: Estimate) -> str:
    if found.n_pairs == 0 or np.isnan(found.value):
        return "no correlation is defined"
    lost = f"{found.lost} left out: no correlation, or fewer than {FEWEST} items in every task"
    notes = [lost] if found.lost else []
    if found.n_items < FEWEST:
        notes.append(f"fewer than {FEWEST} items")
    if np.isnan(found.reach):
        notes.append("no interval: a correlation hangs on a single item")
    return "; ".join(notes)
