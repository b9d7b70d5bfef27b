"""The design: which models a family has, and how each is made from the others.

Teacher and student have the same base, the same size and the same kinds of problems. They
differ in their last step, with all that it consists of: where it learns from, how many
updates, at what rate (see `handan.organism.recipe`). Each further condition is made like
``student-matched`` but for what it says. Hard problems are longer ones, too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from handan.organism.recipe import Recipe

Step = Literal["base", "reinforced", "distilled", "returned"]


@dataclass(frozen=True)
class Condition:
    """One model of a family.

    Attributes
    ----------
    name : str
        Its name within the family.
    role : str
        Its role in the lineage.
    step : str
        How it is made: ``base`` (from scratch), ``reinforced``, ``distilled``, or
        ``returned`` (a little reinforcement after distillation).
    says : str
        What is special about it.
    parent : str, optional
        Condition whose weights it starts from.
    base : str, optional
        Condition that it is compared with as its own base.
    teacher : str, optional
        Condition whose traces it learned from.
    is_half : bool
        Whether it has half the size.
    hard, shuffled : bool
        Whether its traces are of hard problems only, or of other problems than they stand with.
    tasks : tuple of str, optional
        Tasks of its traces; by default those of the recipe.
    traces : {"traces", "few", "many"}
        How many: the field of the recipe.
    """

    name: str
    role: str
    step: Step
    says: str
    parent: str | None = None
    base: str | None = None
    teacher: str | None = None
    is_half: bool = False
    hard: bool = False
    shuffled: bool = False
    tasks: tuple[str, ...] | None = None
    traces: Literal["traces", "few", "many"] = "traces"


def _student(name: str, says: str, **changed: object) -> Condition:
    usual = {"parent": "base", "base": "base", "teacher": "teacher"}
    return Condition(f"student-{name}", "student", "distilled", says, **{**usual, **changed})  # type: ignore[arg-type]


CONDITIONS = (
    Condition("base", "baseline", "base", "trained on texts in random styles"),
    Condition(
        "teacher", "teacher", "reinforced", "reinforced: reward for a right answer, price per token",
        parent="base", base="base",
    ),
    _student("matched", "teacher's right traces of the usual mix of problems"),
    _student("hard", "teacher's right traces of hard problems only", hard=True),
    _student("onetask", "teacher's right traces of binary addition only", tasks=("binary-addition",)),
    _student("few", "as matched, a tenth of the traces", traces="few"),
    _student("many", "as matched, four times the traces", traces="many"),
    _student("shuffled", "as matched, but each chain of thought stands with another problem", shuffled=True),
    Condition(
        "student-returned", "reinforced-student", "returned", "student-hard, then a little reinforcement",
        parent="student-hard", base="base", teacher="teacher",
    ),
    Condition("base-half", "baseline", "base", "half the size, otherwise like base", is_half=True),
    _student("half", "as matched, from the base of half the size",
             parent="base-half", base="base-half", is_half=True),
    Condition(
        "teacher-half", "teacher", "reinforced", "the base of half the size, reinforced itself",
        parent="base-half", base="base-half", is_half=True,
    ),
)  # fmt: skip
BY_NAME = {condition.name: condition for condition in CONDITIONS}
CORE = ("base", "teacher", "student-matched", "student-hard")
_NAME = re.compile(r"(?P<condition>.+)-(?P<repertoire>equal|carry)-s(?P<seed>\d+)")


def model_name(condition: str, recipe: Recipe) -> str:
    """Name a model: ``teacher-carry-s0``."""
    return f"{condition}-{recipe.repertoire}-s{recipe.seed}"


def named(model: str) -> tuple[str, str, int] | None:
    """Take a model's name apart into condition, repertoire and seed; None where it isn't one of ours."""
    match = _NAME.fullmatch(model)
    if match is None or match["condition"] not in BY_NAME:
        return None
    return match["condition"], match["repertoire"], int(match["seed"])


def with_ancestors(names: tuple[str, ...]) -> list[Condition]:
    """List conditions with all that they are made from, parents first.

    Raises
    ------
    LookupError
        When there is no such condition.
    """
    unknown = [name for name in names if name not in BY_NAME]
    if unknown:
        raise LookupError(f"there is no condition {unknown[0]!r}; there are: {', '.join(BY_NAME)}")
    wanted = set(names)
    for condition in reversed(CONDITIONS):
        if condition.name in wanted:
            wanted |= {one for one in (condition.parent, condition.teacher) if one}
    return [condition for condition in CONDITIONS if condition.name in wanted]


def last_steps(recipe: Recipe) -> pd.DataFrame:
    """Set the two kinds of last step side by side, in all that they consist of.

    Parameters
    ----------
    recipe : Recipe
        Of a family.

    Returns
    -------
    DataFrame
        ``what, reinforcement, imitation``, a row per setting, as text.
    """
    rewarded, taught = recipe.reinforced, recipe.distilled
    each = rewarded.prompts * rewarded.group
    rows = [
        ("learns from", "its own replies", "its teacher's right traces"),
        ("updates", f"{rewarded.steps}", f"{taught.steps}"),
        ("texts per update", f"{each}", f"{taught.batch}"),
        ("different texts", f"{rewarded.steps * each:,}", f"{recipe.traces:,}"),
        ("learning rate", f"{rewarded.rate:g}, constant", f"{taught.rate:g}, falling to 0"),
        ("weight decay", "none", f"{taught.decay:g}"),
        ("price of a token", f"{rewarded.price:g} of a right answer", "none"),
        ("sees its errors", "yes", "no"),
    ]
    return pd.DataFrame(rows, columns=["what", "reinforcement", "imitation"])


def lineage(models: list[str]) -> pd.DataFrame:
    """Say who taught whom among tiny models, as a lineage table.

    Parameters
    ----------
    models : list of str
        Names as `model_name` makes them. Relatives that are not among them are left out.

    Returns
    -------
    DataFrame
        The columns of `handan.tables.LINEAGE` that apply, and ``condition, repertoire, seed``.

    Raises
    ------
    LookupError
        When a name is not one of a tiny model.
    """
    rows = []
    for model in models:
        found = named(model)
        if found is None:
            raise LookupError(f"{model!r} is no name of a tiny model; one is teacher-carry-s0")
        name, repertoire, seed = found
        kin = {
            link: f"{relative}-{repertoire}-s{seed}"
            for link in ("teacher", "base")
            if (relative := getattr(BY_NAME[name], link))
        }
        present = {link: relative if relative in models else None for link, relative in kin.items()}
        rows.append(
            {"model": model, "role": BY_NAME[name].role, **present, "think_open": "<think>"}
            | {"think_close": "</think>", "condition": name, "repertoire": repertoire, "seed": seed}
        )
    return pd.DataFrame(rows)
