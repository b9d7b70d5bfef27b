"""Which choice of analysis matters most: the variance of a specification curve, divided.

The levels of a choice are fixed by us and not a sample of levels, so a share describes the
specifications that were run and estimates nothing beyond them.
"""

from __future__ import annotations

from itertools import combinations
from math import comb
from typing import Any

import numpy as np
import pandas as pd

from handan.findings.specification_data import FloatArray
from handan.findings.specifications import CHOICES

INTERACTIONS = "interactions"
SHARES = [
    *("study", "claim", "choice", "n_levels", "share", "lowest", "mean_lowest", "highest", "mean_highest"),
    "note",
]

# Below this sum of squares the estimates differ by rounding only.
_NOTHING = 1e-20


def choice_shares(table: pd.DataFrame) -> pd.DataFrame:
    """Split the variance of the estimates of one study and claim among the choices.

    A share is what a choice adds to the variance that an additive model of choices explains,
    averaged over all orders in which choices can enter (Lindeman, Merenda & Gold, 1980). Where
    every combination was run this is eta squared; otherwise it divides fairly what choices
    explain together.

    Parameters
    ----------
    table : DataFrame
        As `handan.findings.specifications.specifications`, of one study and claim.

    Returns
    -------
    DataFrame
        `SHARES`; none where nothing was run. NaN where all estimates are the same.
    """
    run = table[table["run"].astype(bool)]
    if run.empty:
        return pd.DataFrame(columns=SHARES)
    names = run[["study", "claim"]].iloc[0].to_dict()
    shares = _shares(run[list(CHOICES)], run["difference"].to_numpy(dtype=float))
    rows = [{**names, "choice": choice, "share": shares[choice], **_ends(run, choice)} for choice in CHOICES]
    rest = {"share": 1 - sum(shares.values()), "note": "what an additive model leaves"}
    table = pd.DataFrame([*rows, {**names, "choice": INTERACTIONS, **rest}], columns=SHARES)
    return table.astype({"n_levels": "Int64"})


def _ends(run: pd.DataFrame, choice: str) -> dict[str, Any]:
    means = run.groupby(choice, sort=False)["difference"].mean()
    lowest, highest = means.idxmin(), means.idxmax()
    note = "" if len(means) > 1 else "one level only"
    ends = dict(lowest=lowest, mean_lowest=means[lowest], highest=highest, mean_highest=means[highest])
    return {"n_levels": len(means), **ends, "note": note}


def _shares(levels: pd.DataFrame, value: FloatArray) -> dict[str, float]:
    """Share of each column of levels in the variance of the values; NaN where they do not vary."""
    centred = value - value.mean()
    total = float((centred**2).sum())
    if total < _NOTHING:
        return dict.fromkeys(levels, np.nan)
    varied = [name for name in levels if len(levels[name].unique()) > 1]
    dummies = {name: pd.get_dummies(levels[name], drop_first=True).to_numpy(dtype=float) for name in varied}
    explained = {
        chosen: _explained([dummies[name] for name in chosen], centred) / total
        for size in range(len(dummies) + 1)
        for chosen in combinations(dummies, size)
    }
    return {name: _added(name, varied, explained) if name in varied else 0.0 for name in levels}


def _added(name: str, names: list[str], explained: dict[tuple[str, ...], float]) -> float:
    """Mean over orders of what a name adds to those that entered before it."""
    gain, n = 0.0, len(names)
    for chosen, before in explained.items():
        if name not in chosen:
            after = explained[tuple(one for one in names if one in chosen or one == name)]
            gain += (after - before) / (n * comb(n - 1, len(chosen)))
    return gain


def _explained(dummies: list[FloatArray], centred: FloatArray) -> float:
    """Sum of squares that an additive model explains."""
    if not dummies:
        return 0.0
    design = np.column_stack([one - one.mean(axis=0) for one in dummies])
    fitted = design @ np.linalg.lstsq(design, centred, rcond=None)[0]
    return float((fitted**2).sum())
