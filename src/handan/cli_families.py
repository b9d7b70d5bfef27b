"""The command `handan families`: parse, call, print."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from handan.cli_options import Boot, Cost, How, Seed
from handan.output import Format, emit

if TYPE_CHECKING:
    from handan.findings.families import Families

_TITLES = {
    "conditions": "Alignment with people by condition; intervals over seeds and items",
    "effects": "Differences within a family; intervals over seeds and items",
    "inflation": "How much more a student spends; intervals over seeds and items",
}
_COLUMNS = {
    "conditions": [
        *("repertoire", "condition", "task", "n_seeds", "n_items", "n_undefined", "r", "low", "high"),
        *("r_or_zero", "ceiling", "accuracy", "tokens", "truncated"),
    ],
    "effects": [
        *("repertoire", "condition", "comparison", "task", "n_seeds", "n_items", "r_a", "r_b", "difference"),
        *("low", "high", "verdict", "on_edge"),
    ],
    "inflation": [
        *("repertoire", "condition", "relation", "task", "n_seeds", "multiplier", "multiplier_low"),
        *("multiplier_high", "change", "change_low", "change_high", "verdict"),
    ],
}


class FamilyLevel(StrEnum):
    """What a row about families is."""

    CONDITIONS = "conditions"
    EFFECTS = "effects"
    INFLATION = "inflation"


def families(
    costs: Annotated[
        Path | None, typer.Argument(help="Costs of families. Default: the packaged study.")
    ] = None,
    lineage: Annotated[
        Path | None,
        typer.Option("--lineage", help="Lineage with condition, repertoire, seed. Default: from the names."),
    ] = None,
    cost: Cost = "output_tokens",
    level: Annotated[
        FamilyLevel | None, typer.Option("--level", help="Default: all; in csv and json effects.")
    ] = None,
    n_boot: Boot = 2_000,
    seed: Seed = 0,
    how: How = Format.TABLE,
) -> None:
    """Compare the conditions of families of tiny models, with seeds as a random factor."""
    from handan.inputs import in_families

    found = in_families(costs, lineage, cost, n_boot=n_boot, seed=seed)
    if how is not Format.TABLE:
        return emit(getattr(found, (level or FamilyLevel.EFFECTS).value), how)
    show_all(found, [level] if level else list(FamilyLevel))


def show_all(found: Families, levels: Sequence[FamilyLevel] = tuple(FamilyLevel)) -> None:
    """Print the tables of a comparison of families."""
    for one in levels:
        table = getattr(found, one.value)
        if table.empty:
            print(f"{_TITLES[one.value]}: nothing to compare")
        else:
            emit(table, Format.TABLE, title=_TITLES[one.value], show=_COLUMNS[one.value])
