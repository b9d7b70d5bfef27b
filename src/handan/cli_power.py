"""The command `handan power`: parse, call, print."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from handan.cli_options import How
from handan.findings.verdict import FEWEST, PAPER, SMALLEST
from handan.output import Format, emit

if TYPE_CHECKING:
    import pandas as pd

_BETWEEN = (0.0, 0.2, 0.4, 0.6, 0.8)
_COLUMNS = {
    "needed": [
        *("r_a", "r_b", "true_a", "true_b", "r_ab", "n_pairs", "one_teacher", "items_to_see"),
        *("items_to_rule_out", "note"),
    ],
    "reached": [
        *("r_a", "r_b", "r_ab", "n_pairs", "n_items", "power", "supported", "cannot_tell"),
        *("not_supported", "williams", "note"),
    ],
    "recorded": [
        *("study", "claim", "relation", "n_pairs", "n_items", "r_b", "between", "ceiling", "half_width"),
        *("smallest_drop", "power_for_paper", "note"),
    ],
}


class PowerLevel(StrEnum):
    """What a row about power is."""

    NEEDED = "needed"
    REACHED = "reached"
    RECORDED = "recorded"


def _correlation(given: float | None) -> float | None:
    if given is not None and not -1 <= given <= 1:
        raise typer.BadParameter(f"a correlation lies between -1 and 1, and this is {given:g}")
    return given


def _correlations(given: list[float] | None) -> list[float]:
    # No None comes back: old versions of typer take the length of what a callback returns.
    for one in given or []:
        _correlation(one)
    return given or []


RAOption = Annotated[
    float,
    typer.Option("--r-a", callback=_correlation, help="r of the first model with people, as observed."),
]
RBOption = Annotated[
    float, typer.Option("--r-b", callback=_correlation, help="r of the second model, the lower one.")
]
BetweenOption = Annotated[
    list[float] | None,
    typer.Option(
        "--between", callback=_correlations, help="r of the two models; repeat it. Default: 0 to 0.8."
    ),
]
ItemsOption = Annotated[
    int | None, typer.Option("--items", min=4, help="Items at hand: what would they show?")
]
PairsOption = Annotated[int, typer.Option("--pairs", min=1, help="Pairs of models on the same items.")]
TeacherOption = Annotated[bool, typer.Option("--one-teacher", help="One model is the first of all pairs.")]
AlikeOption = Annotated[
    float | None,
    typer.Option(
        "--alike",
        callback=_correlation,
        help="r, beside people, of models on the same side. Default: as in a pair.",
    ),
]
CeilingOption = Annotated[
    float | None, typer.Option("--ceiling", help="Noise ceiling of the norms: root of their reliability.")
]
TrueOption = Annotated[
    bool, typer.Option("--true", help="--r-a and --r-b are free of the norms' noise; needs --ceiling.")
]
AimOption = Annotated[float, typer.Option("--power", help="Probability aimed at.")]
LevelOption = Annotated[
    PowerLevel | None, typer.Option("--level", help="Default: all; in csv and json needed.")
]


def power(
    r_a: RAOption = PAPER[0],
    r_b: RBOption = PAPER[1],
    between: BetweenOption = None,
    items: ItemsOption = None,
    pairs: PairsOption = 1,
    one_teacher: TeacherOption = False,
    alike: AlikeOption = None,
    ceiling: CeilingOption = None,
    true: TrueOption = False,
    aim: AimOption = 0.8,
    level: LevelOption = None,
    how: How = Format.TABLE,
) -> None:
    """Say how many items are needed to see a drop in alignment, and what recorded studies could have seen."""
    truth = dict(r_a=r_a, r_b=r_b, between=between or _BETWEEN, n_pairs=pairs, ceiling=ceiling, true=true)
    kin = dict(one_teacher=one_teacher, alike=alike)
    if r_a < r_b:
        raise typer.BadParameter(
            f"the drop is from --r-a to --r-b, and {r_a:g} lies below {r_b:g}: exchange the two"
        )
    if level is PowerLevel.REACHED and items is None:
        raise typer.BadParameter("say how many items there are: --items N")
    if how is not Format.TABLE:
        chosen = [level or PowerLevel.NEEDED]
    else:
        chosen = [level] if level else [one for one in PowerLevel if items or one is not PowerLevel.REACHED]
    for one in chosen:
        try:
            table = _table(one, truth | kin, items, aim)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None
        shown = [name for name in _COLUMNS[one.value] if one is PowerLevel.RECORDED or _known(table, name)]
        emit(table, how, title=_title(one, table, items, aim), show=shown)


def _table(level: PowerLevel, truth: dict[str, Any], items: int | None, aim: float) -> pd.DataFrame:
    from handan.stats.power_table import items_table, power_table

    rule: dict[str, Any] = dict(smallest=SMALLEST, fewest=FEWEST)
    if level is PowerLevel.NEEDED:
        return items_table(**(truth | dict(n_pairs=[truth["n_pairs"]])), power=aim, **rule)
    if level is PowerLevel.REACHED:
        return power_table(**truth, items=[items or FEWEST], **rule)
    return _recorded(items, aim)


def _recorded(items: int | None, aim: float) -> pd.DataFrame:
    import pandas as pd

    from handan.findings.detectable import detectable
    from handan.inputs import recorded
    from handan.lineage import load_lineage

    lineage = load_lineage()
    found = [
        detectable(one.joined, lineage, power=aim, n_items=items)
        for one in recorded(None, "reasoning_tokens")
    ]
    return pd.concat(found, ignore_index=True)


def _known(table: pd.DataFrame, name: str) -> bool:
    """Whether a column has anything to say in a terminal."""
    return bool(table[name].astype(str).ne("").any() if name == "note" else table[name].notna().any())


def _title(level: PowerLevel, table: pd.DataFrame, items: int | None, aim: float) -> str:
    if level is PowerLevel.RECORDED:
        had = "with their own items" if items is None else f"if they had {items} items per task"
        return f"Recorded studies {had}: the smallest drop that they would show with a power of {aim:g}"
    drop = f"from {table['r_a'].iloc[0]:.2f} to {table['r_b'].iloc[0]:.2f} (as observed)"
    if level is PowerLevel.REACHED:
        return f"What {items} items show of a drop {drop}: probability of each verdict"
    return (
        f"Items needed, with a power of {aim:g}, to see a drop {drop},\n"
        f"and to rule out one of {SMALLEST:.2f} where there is none"
    )
