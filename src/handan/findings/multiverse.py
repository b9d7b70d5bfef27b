"""Does the verdict depend on us? All specifications of a claim, summed up.

A multiverse shows how far a result hangs on choices that could have been made otherwise. It
says nothing about choices that are not in it, and many specifications that agree are not
many pieces of evidence: they share their items, their models and their people.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from handan.findings.multiverse_shares import SHARES, choice_shares
from handan.findings.multiverse_tests import MEDIAN, TESTS, joint_tests
from handan.findings.specifications import CHOICES, CLAIMS, explore
from handan.findings.verdict import CANNOT_TELL, NOT_SUPPORTED, SUPPORTED
from handan.formats import number, p_value

if TYPE_CHECKING:
    from handan.inputs import Inputs

SUMMARY = [
    *("study", "claim", "n_specifications", "n_run", "n_same", "n_unsupported", "median", "smallest"),
    *("largest", "in_direction", "clear_for", "clear_against", "supported", "not_supported", "cannot_tell"),
    *("choice", "choice_share", "p_median", "note", "sentence"),
]


@dataclass(frozen=True)
class Multiverse:
    """The specification curves of a study.

    Attributes
    ----------
    curve : DataFrame
        As `handan.findings.specifications.specifications` gives it, for both claims.
    summary : DataFrame
        `SUMMARY`, a row per study × claim: how many specifications there are, were run, gave
        the numbers of an earlier one, or are not supported; ``median, smallest, largest``
        difference; the share ``in_direction`` of the paper, those whose interval excludes 0
        for it and against it (``clear_for, clear_against``); the shares of the verdicts; the
        ``choice`` that explains most, its share, the joint test's ``p_median``, a ``sentence``.
    choices : DataFrame
        `SHARES`, a row per study × claim × choice: its ``share`` of the variance of the
        estimates (see `choice_shares`) and the levels with the lowest and the highest mean
        difference. A row ``interactions`` has what an additive model leaves. The levels are
        fixed by us, so the shares describe this set of specifications and nothing beyond it.
    tests : DataFrame
        `TESTS`, a row per study × claim × statistic: ``observed``, the range of 95 % of its
        values under the null hypothesis, the two-sided ``p`` with two Monte Carlo standard
        errors ``p_error``, and ``on_edge``, whether another seed could move it over 0.05.
    """

    curve: pd.DataFrame
    summary: pd.DataFrame
    choices: pd.DataFrame
    tests: pd.DataFrame


def multiverse(inputs: Inputs, lineage: pd.DataFrame, *, n_perm: int = 2_000, seed: int = 0) -> Multiverse:
    """Compute and test all specifications of collapse and of transfer.

    Parameters
    ----------
    inputs : Inputs
        The tables of one or several studies.
    lineage : DataFrame
        Who taught whom.
    n_perm : int
        Draws of the joint test.
    seed : int
        Same seed, same draws.

    Returns
    -------
    Multiverse
        A study that can't speak to a claim has rows with a note, and no shares.

    Raises
    ------
    ValueError
        When `n_perm` is below 1.
    """
    if n_perm < 1:
        raise ValueError(f"n_perm must be at least 1, got {n_perm}")
    curves, summaries, choices, tests = [], [], [], []
    for claim in CLAIMS:
        for one in explore(inputs, lineage, claim):
            shares, tested = choice_shares(one.table), joint_tests(one, n_perm, seed)
            curves.append(one.table)
            summaries.append(_summary(one.table, shares, tested))
            choices.append(shares)
            tests.append(tested)
    return Multiverse(
        pd.concat(curves, ignore_index=True),
        pd.DataFrame(summaries, columns=SUMMARY),
        _stacked(choices, SHARES),
        _stacked(tests, TESTS),
    )


def _stacked(tables: list[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    # An empty table would turn the numbers of the others into objects.
    filled = [table for table in tables if len(table)]
    return pd.concat(filled, ignore_index=True) if filled else pd.DataFrame(columns=columns)


def not_run(curve: pd.DataFrame) -> pd.DataFrame:
    """Count the specifications that were not run, by reason.

    Parameters
    ----------
    curve : DataFrame
        See `Multiverse`.

    Returns
    -------
    DataFrame
        ``study, claim, reason, n``, the commonest reason first.
    """
    left = curve[~curve["run"].astype(bool)]
    reason = left["note"].str.replace(r"as specification \d+$", "as another specification", regex=True)
    counted = left.assign(reason=reason).groupby(["study", "claim", "reason"], sort=False).size()
    return (
        counted.rename("n").reset_index().sort_values(["study", "claim", "n"], ascending=[True, True, False])
    )


def ranked(curve: pd.DataFrame, study: str, claim: str) -> pd.DataFrame:
    """Put the specifications of one study and claim in the order of their estimates.

    Parameters
    ----------
    curve : DataFrame
        See `Multiverse`.
    study, claim : str
        Which.

    Returns
    -------
    DataFrame
        Those that were run, with ``place``, from 1 for the smallest difference, and ``interval``:
        ``above 0``, ``below 0`` or ``includes 0``.
    """
    wanted = (curve["study"] == study) & (curve["claim"] == claim) & curve["run"].astype(bool)
    run = curve[wanted].sort_values("difference", kind="stable", ignore_index=True)
    side = np.select([run["low"] > 0, run["high"] < 0], ["above 0", "below 0"], "includes 0")
    return run.assign(place=np.arange(1, len(run) + 1), interval=side)


def _summary(table: pd.DataFrame, shares: pd.DataFrame, tested: pd.DataFrame) -> dict[str, Any]:
    names = table[["study", "claim"]].iloc[0].to_dict()
    done = table["run"].astype(bool)
    run, sign = table[done], CLAIMS[names["claim"]].sign
    same = int(table.loc[~done, "note"].str.startswith("the same numbers").sum())
    counts = dict(n_specifications=len(table), n_run=len(run), n_same=same)
    row = {**names, **counts, "n_unsupported": len(table) - len(run) - same, "note": ""}
    if run.empty:
        reason = table["note"].mode().iloc[0]
        title = f"{names['claim'].capitalize()} in {names['study']}"
        sentence = f"{title}: no specification could be run, {reason}."
        return {**row, "note": reason, "sentence": sentence}
    row |= _spread(run, sign)
    ranked = shares[shares["choice"].isin(CHOICES)].sort_values("share", ascending=False, kind="stable")
    if ranked["share"].notna().any():
        row |= dict(choice=ranked["choice"].iloc[0], choice_share=ranked["share"].iloc[0])
    joint = tested.set_index("statistic").loc[MEDIAN]
    row["p_median"] = joint["p"]
    return {**row, "sentence": _sentence(row, bool(joint["on_edge"]))}


def _spread(run: pd.DataFrame, sign: int) -> dict[str, float]:
    value, one_end, other_end = (sign * run[name].astype(float) for name in ("difference", "low", "high"))
    ends = np.sort(np.column_stack([one_end, other_end]), axis=1)
    verdicts = {name.replace(" ", "_"): name for name in (SUPPORTED, NOT_SUPPORTED, CANNOT_TELL)}
    return {
        **dict(median=run["difference"].median(), smallest=run["difference"].min()),
        **dict(largest=run["difference"].max(), in_direction=float((value > 0).mean())),
        **dict(clear_for=float((ends[:, 0] > 0).mean()), clear_against=float((ends[:, 1] < 0).mean())),
        **{column: float((run["verdict"] == name).mean()) for column, name in verdicts.items()},
    }


def _sentence(row: dict[str, Any], on_edge: bool) -> str:
    claim = CLAIMS[row["claim"]]
    edge = " (on the edge: another seed could move it over 0.05)" if on_edge else ""
    runs = "1 specification gives" if row["n_run"] == 1 else f"{row['n_run']} specifications give"
    return (
        f"{row['claim'].capitalize()} in {row['study']}: {runs} a median difference ({claim.a} less "
        f"{claim.b}) of {number(row['median'], 3)}, from {number(row['smallest'], 3)} to "
        f"{number(row['largest'], 3)}. {_percent(row['in_direction'])} lie in the paper's direction, "
        f"{_percent(row['clear_for'])} with an interval that excludes 0; {_percent(row['clear_against'])} "
        f"exclude 0 the other way. Joint test of no difference in any: p {_equals(row['p_median'])}{edge}."
    )


def _percent(share: float) -> str:
    rounded = f"{100 * share:.0f}"
    # A share that is not all must not be rounded to all, nor one that is not none to none.
    hides = (rounded == "100" and share < 1) or (rounded == "0" and share > 0)
    return f"{100 * share:.1f} %" if hides else f"{rounded} %"


def _equals(p: float) -> str:
    text = p_value(p)
    return text if text[0] in "<>" else f"= {text}"
