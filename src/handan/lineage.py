"""Who taught whom: the lineage table, and the pairs of models that a comparison is made of.

A *student* was fine-tuned on the traces of a *teacher*, and the teacher became a reasoning
model by reinforcement. The *base* of a model is the checkpoint that its training started
from; its *sibling* is the instruct model of the same family and size, wherever that is not
the base itself. Both have been called the pre-distillation baseline, and they differ
for five of the six R1-Distill models, so every comparison says which one it uses.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import pandas as pd

from handan._links import broken_links, cycles, suggestion
from handan._relations import NOT_PLACED as NOT_PLACED
from handan._relations import OTHER_SETTINGS as OTHER_SETTINGS
from handan._relations import collapse_pairs, role_of, transfer_pairs
from handan._relations import model_of as model_of
from handan._relations import set_apart as set_apart
from handan.tables import TableError, check_lineage, packaged, read_table

Kind = Literal["collapse", "transfer"]


class UnknownModelError(LookupError):
    """A model has no row in the lineage table.

    Attributes
    ----------
    models : list of str
        The names that were not found.
    """

    def __init__(self, models: Iterable[str], known: Iterable[str]) -> None:
        self.models = list(models)
        choices = list(known)
        asked = "; ".join(f"{model!r}{suggestion(model, choices)}" for model in self.models)
        super().__init__(
            f"not in the lineage table ({len(choices)} models): {asked}. "
            "Correct the name, or add a row with at least its model and role"
        )


def load_lineage(path: str | Path | None = None) -> pd.DataFrame:
    """Read a lineage table and check that it is consistent.

    Parameters
    ----------
    path : str or Path, optional
        A user's own CSV file, of which only the columns ``model, role`` are
        required. By default the table that comes with the package.

    Returns
    -------
    DataFrame
        One row per model with the columns of `handan.tables.LINEAGE`. The packaged
        table adds ``label, family, paper, evidence``; its notes say how each was found.

    Raises
    ------
    TableError
        Naming every offending row.
    """
    return checked(read_table(packaged("lineage.csv") if path is None else path))


def extended(own: pd.DataFrame, lineage: pd.DataFrame | None = None) -> pd.DataFrame:
    """Add a user's models to a lineage; on the same name the user's row stands.

    Parameters
    ----------
    own : DataFrame
        Rows with at least ``model, role``. They may name teachers, bases and siblings
        of the table that they are added to.
    lineage : DataFrame, optional
        The table that they are added to, by default the packaged one.

    Returns
    -------
    DataFrame
        The rows of `lineage` that stay, then those of `own`.

    Raises
    ------
    TableError
        Naming every offending row.
    """
    mine = check_lineage(own)
    rest = load_lineage() if lineage is None else lineage
    stays = rest[~rest["model"].isin(mine["model"])]
    return checked(pd.concat([stays, mine], ignore_index=True))


def checked(frame: pd.DataFrame) -> pd.DataFrame:
    """Check the columns of a lineage table, then the links between its rows.

    Every relative that is named must have a row and be another model; a sibling may not
    repeat the base; nobody descends from themselves.

    Parameters
    ----------
    frame : DataFrame
        At least ``model, role``.

    Returns
    -------
    DataFrame
        A copy with every column of `handan.tables.LINEAGE`.

    Raises
    ------
    TableError
        Naming every offending model and link.
    """
    lineage = check_lineage(frame)
    problems = broken_links(lineage) or cycles(lineage)
    if problems:
        raise TableError("lineage", problems)
    return lineage


def find(model: str, lineage: pd.DataFrame | None = None) -> pd.Series:
    """Look up the row of one model.

    Parameters
    ----------
    model : str
        Its name (``QwQ-32B``) or its full Hugging Face id (``Qwen/QwQ-32B``).
    lineage : DataFrame, optional
        By default the packaged table.

    Returns
    -------
    Series
        The row, with the columns of the table as index.

    Raises
    ------
    UnknownModelError
        Naming the closest match.
    """
    table = load_lineage() if lineage is None else check_lineage(lineage)
    for column in ("model", "hf_id"):
        match = table[(table[column] == model).fillna(False)]
        if len(match) == 1:
            return match.iloc[0]
    raise UnknownModelError([model], table["model"])


def roles_of(models: Iterable[str], lineage: pd.DataFrame | None = None) -> dict[str, str]:
    """Say which role each measured model plays in the comparisons.

    Parameters
    ----------
    models : iterable of str
        Names of a costs table; ``NAME@VARIANT`` is a run of ``NAME`` under other settings.
    lineage : DataFrame, optional
        By default the packaged table.

    Returns
    -------
    dict of str to str
        The role in the table. Models without a row take no part in a comparison: a run of a
        model that has one is `OTHER_SETTINGS`, everything else is `NOT_PLACED`.
    """
    table = load_lineage() if lineage is None else check_lineage(lineage)
    known = table.set_index("model")["role"].to_dict()
    return {name: role_of(name, known) for name in models}


def pairs(lineage: pd.DataFrame, models: Iterable[str], kind: Kind) -> pd.DataFrame:
    """List the pairs of models that a comparison consists of; the difference is always a - b.

    Parameters
    ----------
    lineage : DataFrame
        At least ``model, role``.
    models : iterable of str
        The models that a study measured; a pair needs both of its models here.
    kind : {"collapse", "transfer"}
        ``collapse`` pairs every teacher (a) with every student (b). ``transfer`` pairs every
        student (a) with its base and with its sibling (b). Distilled models that were then
        reinforced are neither teachers nor students and take no part.

    Returns
    -------
    DataFrame
        Columns ``a, b, relation``, in the order of `models`. The relation is ``own teacher``,
        ``other teacher`` or ``teacher not known`` (the student's row names none) in a
        collapse, ``true base`` or ``instruct sibling`` in a transfer.

    Raises
    ------
    UnknownModelError
        When a model has no row in the table.
    TableError
        When the table is inconsistent.
    ValueError
        When `kind` is neither of the two.
    """
    if kind not in ("collapse", "transfer"):
        raise ValueError(f"kind is {kind!r}; it must be 'collapse' or 'transfer'")
    if isinstance(models, str):
        raise ValueError(f"models is the text {models!r}; it must be a list of model names")
    table = checked(lineage)
    names = list(dict.fromkeys(models))
    unknown = [name for name in names if name not in set(table["model"])]
    if unknown:
        raise UnknownModelError(unknown, table["model"])
    present = table.set_index("model").loc[names]
    rows = collapse_pairs(present) if kind == "collapse" else transfer_pairs(present)
    return pd.DataFrame(rows, columns=["a", "b", "relation"]).astype("string")


def paper_design() -> pd.DataFrame:
    """Give the 14 models of arXiv:2601.05019 as far as they can be known.

    The paper's list was not found. This is the count that fits best: six distilled
    students, their six counterparts and two models of 671 billion parameters.

    Returns
    -------
    DataFrame
        Columns ``model, label, paper_role, counterpart, starting_point, certainty``. The
        counterpart of a student is an instruct model; its ``starting_point`` is the checkpoint
        that was really distilled, which the paper may mean. ``certainty``: yes or inferred.
    """
    lineage = load_lineage()
    design = lineage[lineage["paper"] != "no"]
    students = design[design["role"] == "student"]
    roles = design["role"].map({"teacher": "teacher", "student": "distilled student"})
    counterparts = students["sibling"].fillna(students["base"])
    is_counterpart = design["model"].isin(counterparts)
    return pd.DataFrame(
        {
            "model": design["model"],
            "label": design["label"],
            "paper_role": roles.mask(is_counterpart, "pre-distillation counterpart").fillna(
                "standard RLHF model"
            ),
            "counterpart": counterparts.reindex(design.index),
            "starting_point": students["base"].reindex(design.index),
            "certainty": design["paper"],
        }
    ).reset_index(drop=True)
