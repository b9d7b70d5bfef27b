"""Families of models that differ only in how they were trained: members, pairs and claims.

A *family* is what one seed gives of one repertoire of reasoning styles: a base, the teacher
that was reinforced from it, the students that were distilled from that teacher. Every
comparison is made within a family and then averaged over seeds.
"""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from handan.findings.verdict import ADVANTAGE, COLLAPSE, TRANSFER, Claim
from handan.lineage import checked
from handan.schema import Problem, TableError

MEMBER = ["repertoire", "condition", "seed"]
STUDENTS = ("student", "reinforced-student")

CLAIMS = {
    "collapse": COLLAPSE,
    "transfer": TRANSFER,
    "advantage": ADVANTAGE,
    "size": Claim(
        "size", "our own claim that a student aligns less than a teacher of its own size",
        "teachers", "students", +1,
    ),
    "return": Claim(
        "return", "our own claim that a little reinforcement brings alignment back",
        "students reinforced afterwards", "students before that", +1,
    ),
}  # fmt: skip


def members(lineage: pd.DataFrame) -> pd.DataFrame:
    """Pick the models of a lineage that belong to families.

    Parameters
    ----------
    lineage : DataFrame
        See `handan.tables`, with the columns ``condition, repertoire, seed``. Models without
        a condition belong to no family.

    Returns
    -------
    DataFrame
        ``model, role, teacher, base, repertoire, condition, seed``, indexed by model; seeds
        are whole numbers.

    Raises
    ------
    LookupError
        When a column is missing or no model has a condition.
    TableError
        Naming models without a repertoire or a whole seed, models that repeat another's
        repertoire, condition and seed, and models whose teacher or base is of another seed
        or repertoire: seeds would then not be independent.
    """
    absent = [name for name in MEMBER if name not in lineage]
    if absent:
        raise LookupError(
            f"the lineage table has no column {', '.join(absent)}; families need {', '.join(MEMBER)}"
        )
    table = checked(lineage)
    table = table[table["condition"].notna()]
    if table.empty:
        raise LookupError("no model of the lineage table has a condition, so there is no family")
    table = table[["model", "role", "teacher", "base", *MEMBER]].set_index("model", drop=False)
    table["seed"] = pd.to_numeric(table["seed"], errors="coerce")
    problems = _incomplete(table) or _repeated(table) + _mixed(table)
    if problems:
        raise TableError("lineage", problems)
    return table.astype({"seed": int, "condition": str, "repertoire": str}).rename_axis(index=None)


def comparisons(family: pd.DataFrame) -> pd.DataFrame:
    """List every pair of models within a family that a claim is about; the difference is a - b.

    Parameters
    ----------
    family : DataFrame
        From `members`, only those that were measured.

    Returns
    -------
    DataFrame
        ``comparison, repertoire, condition, seed, a, b``. ``collapse``: own teacher minus
        student. ``transfer``: student minus the base it started from. ``advantage``: teacher
        minus its base. ``size``: the teacher of the student's own size minus that student
        (``teacher-half - student-half``). ``return``: the student that was reinforced
        afterwards minus what it was before (``student-returned - student-hard``).
    """
    rows: list[tuple[object, ...]] = []
    for row in family.itertuples():
        member = (row.repertoire, row.condition, row.seed)
        pairs = [("advantage", row.model, row.base)] if row.role == "teacher" else []
        if row.role in STUDENTS:
            pairs += [("collapse", row.teacher, row.model), ("transfer", row.model, row.base)]
        rows += [(name, *member, a, b) for name, a, b in pairs if {a, b} <= set(family.index)]
    rows += _within(family, "size", "teacher-half", "student-half", "student-half")
    rows += _within(family, "return", "student-returned", "student-hard", "student-returned")
    return pd.DataFrame(rows, columns=["comparison", *MEMBER, "a", "b"])


def claim(comparison: str, condition: str, repertoire: str) -> Claim:
    """Word a claim for one condition, so that a sentence says what it holds for.

    Parameters
    ----------
    comparison : str
        One of `CLAIMS`.
    condition, repertoire : str
        Of the models that the claim is about.
    """
    general = CLAIMS[comparison]
    stated = f"{general.stated}, for {condition} with the repertoire {repertoire} of this organism,"
    return replace(general, stated=stated)


def _within(
    family: pd.DataFrame, comparison: str, a: str, b: str, condition: str
) -> list[tuple[object, ...]]:
    keys = ["repertoire", "seed"]
    sides = [family.loc[family["condition"] == name, ["model", *keys]] for name in (a, b)]
    both = sides[0].merge(sides[1], on=keys, suffixes=("_a", "_b"))
    return [
        (comparison, row.repertoire, condition, row.seed, row.model_a, row.model_b)
        for row in both.itertuples()
    ]


def _incomplete(table: pd.DataFrame) -> list[Problem]:
    whole = table["seed"].notna() & (table["seed"] % 1 == 0)
    bad = {"repertoire": table["repertoire"].isna(), "seed": ~whole}
    reasons = {"repertoire": "is empty; name the repertoire", "seed": "is no whole number"}
    return [
        Problem(f"model {name!r}", column, reasons[column])
        for column, wrong in bad.items()
        for name in table.index[wrong]
    ]


def _repeated(table: pd.DataFrame) -> list[Problem]:
    again = table[table.duplicated(MEMBER)]
    return [
        Problem(
            f"model {row.model!r}", "seed", f"repeats {row.condition}, {row.repertoire}, seed {row.seed:g}"
        )
        for row in again.itertuples()
    ]


def _mixed(table: pd.DataFrame) -> list[Problem]:
    problems = []
    for link in ("teacher", "base"):
        linked = table[table[link].isin(table.index)]
        relatives = table.loc[linked[link], ["repertoire", "seed"]].to_numpy()
        wrong = (linked[["repertoire", "seed"]].to_numpy() != relatives).any(axis=1)
        problems += [
            Problem(f"model {row.model!r}", link, f"{getattr(row, link)!r} is of another family")
            for row in linked[wrong].itertuples()
        ]
    return problems
