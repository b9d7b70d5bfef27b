"""Tables for planning: how many items are needed, and what a number of items can show."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from itertools import product
from typing import TYPE_CHECKING, Any

from .attenuation import observed
from .pair_design import ImpossibleDesign, pair_design
from .pair_power import williams_power
from .power import interval_power, items_to_rule_out, required_items, verdict_shares
from .power_simulation import simulated_power

if TYPE_CHECKING:
    import pandas as pd

    from .pair_design import PairDesign

FORMULA, SIMULATION = "formula", "simulation"
ITEMS = [
    *("r_a", "r_b", "true_a", "true_b", "ceiling", "r_ab", "n_pairs", "one_teacher", "variance"),
    *("items_to_see", "items_to_rule_out", "note"),
]
POWER = [
    *("r_a", "r_b", "true_a", "true_b", "ceiling", "r_ab", "n_pairs", "one_teacher", "n_items", "method"),
    *("power", "low", "high", "supported", "cannot_tell", "not_supported", "williams", "n_studies", "note"),
]


def items_table(
    r_a: float,
    r_b: float,
    between: Iterable[float],
    n_pairs: Iterable[float] = (1,),
    *,
    smallest: float,
    power: float = 0.8,
    alpha: float = 0.05,
    one_teacher: bool = False,
    alike: float | None = None,
    ceiling: float | None = None,
    true: bool = False,
    fewest: int = 4,
) -> pd.DataFrame:
    """Items needed to see a drop, and to rule one out where there is none.

    Parameters
    ----------
    r_a, r_b : float
        Correlations with people: observed ones, or true ones if `true` is set.
    between : iterable of float
        Correlations of the two models of a pair, as observed; each gets a row per number of
        pairs.
    n_pairs : iterable of float
        Numbers of pairs, infinity included.
    smallest : float
        Smallest difference of interest.
    power, alpha, one_teacher, alike, fewest
        As in `handan.stats.power.required_items`.
    ceiling, true
        As in `handan.stats.attenuation.observed`.

    Returns
    -------
    DataFrame
        `ITEMS`: ``r_a, r_b, r_ab`` observed, ``true_a, true_b`` without the noise of the norms (NaN
        where no ceiling is given); ``variance`` of the mean difference times ``n - 1``;
        ``items_to_see`` the drop, and ``items_to_rule_out`` one as large as `smallest` where
        both r are the mean of the two. Where there is no such number ``note`` says why.

    Raises
    ------
    ValueError
        When an argument is out of its range, or the ceiling too low.
    """
    import pandas as pd

    r_a, r_b = observed(r_a, r_b, ceiling, true=true)
    middle = (r_a + r_b) / 2
    needed: dict[str, Any] = dict(power=power, alpha=alpha, fewest=fewest)
    rows = []
    for r_ab, k in product(between, n_pairs):
        shared: dict[str, Any] = dict(n_pairs=k, one_teacher=one_teacher, alike=alike)
        row = _truth(r_a, r_b, ceiling) | dict(r_ab=r_ab, n_pairs=k, one_teacher=one_teacher)
        how = shared | needed
        _fill(row, "variance", _variance, r_a, r_b, r_ab, **shared)
        _fill(row, "items_to_see", required_items, r_a, r_b, r_ab, **how)
        _fill(row, "items_to_rule_out", items_to_rule_out, middle, r_ab, smallest, **how)
        rows.append(row)
    return _tidy(pd.DataFrame(rows, columns=ITEMS), whole=("items_to_see", "items_to_rule_out"))


def power_table(
    r_a: float,
    r_b: float,
    between: Iterable[float],
    items: Iterable[int],
    *,
    smallest: float,
    n_pairs: float = 1,
    alpha: float = 0.05,
    one_teacher: bool = False,
    alike: float | None = None,
    ceiling: float | None = None,
    true: bool = False,
    fewest: int = 4,
    n_studies: int = 0,
    n_boot: int = 500,
    seed: int = 0,
) -> pd.DataFrame:
    """Power and probability of each verdict, for every likeness and number of items.

    Parameters
    ----------
    r_a, r_b, between, smallest, alpha, one_teacher, alike, ceiling, true, fewest
        As in `items_table`.
    items : iterable of int
        Numbers of items.
    n_pairs : float
        Pairs of models.
    n_studies : int
        Studies to simulate for every row; 0 for the formulas.
    n_boot, seed : int
        As in `handan.stats.power_simulation.simulated_power`.

    Returns
    -------
    DataFrame
        `POWER`: ``power``, the probability that the interval of the mean difference excludes
        0, with its 95 % Monte Carlo interval ``low, high`` where it was simulated; the
        probabilities of the three verdicts; ``williams``, the power of Williams' test (one
        pair only). A row without numbers has a ``note``.

    Raises
    ------
    ValueError
        As in `items_table`.
    """
    import pandas as pd

    r_a, r_b = observed(r_a, r_b, ceiling, true=true)
    rule: dict[str, Any] = dict(smallest=smallest, alpha=alpha, fewest=fewest)
    drawn: dict[str, Any] = dict(n_studies=n_studies, n_boot=n_boot, seed=seed)
    method = SIMULATION if n_studies else FORMULA
    rows = []
    for r_ab, n in product(between, items):
        row = _truth(r_a, r_b, ceiling) | dict(r_ab=r_ab, n_pairs=n_pairs, one_teacher=one_teacher)
        row |= dict(n_items=n, method=method)
        try:
            design = pair_design(r_a, r_b, r_ab, n_pairs, one_teacher=one_teacher, alike=alike)
            row |= _drawn(design, n, **rule, **drawn) if n_studies else _computed(design, n, **rule)
        except ImpossibleDesign as error:
            row["note"] = str(error)
        rows.append(row)
    return _tidy(pd.DataFrame(rows, columns=POWER), whole=("n_items", "n_studies"))


def _truth(r_a: float, r_b: float, ceiling: float | None) -> dict[str, Any]:
    lost = math.nan if ceiling is None else ceiling
    return dict(r_a=r_a, r_b=r_b, true_a=r_a / lost, true_b=r_b / lost, ceiling=lost)


def _computed(design: PairDesign, n: int, smallest: float, alpha: float, fewest: int) -> dict[str, Any]:
    shares = verdict_shares(design, n, smallest, alpha=alpha, fewest=fewest)
    row: dict[str, Any] = dict(power=interval_power(design, n, alpha), **shares._asdict())
    if design.n_pairs == 1:
        row["williams"] = float(williams_power(design.r_a, design.r_b, design.between, n, alpha))
    return row


def _drawn(design: PairDesign, n: int, n_studies: int, **how: Any) -> dict[str, Any]:
    found = simulated_power(design, n, n_studies=n_studies, **how).set_index("outcome")
    rejected = found.loc["rejected"]
    shares = found["share"].reindex(["supported", "cannot_tell", "not_supported", "williams"]).to_dict()
    interval = dict(power=rejected["share"], low=rejected["low"], high=rejected["high"])
    return dict(n_studies=n_studies) | interval | shares


def _variance(*truth: float, **shared: Any) -> float:
    return pair_design(*truth, **shared).variance


def _fill(row: dict[str, Any], name: str, compute: Callable[..., Any], *given: Any, **how: Any) -> None:
    try:
        row[name] = compute(*given, **how)
    except ImpossibleDesign as error:
        row.setdefault("note", str(error))


def _tidy(table: pd.DataFrame, whole: tuple[str, ...]) -> pd.DataFrame:
    numbers = [name for name in table.columns if name not in ("method", "one_teacher", "note", *whole)]
    kinds = {name: "float64" for name in numbers} | {name: "Int64" for name in whole}
    return table.astype(kinds).assign(note=[note if isinstance(note, str) else "" for note in table["note"]])
