"""What a report says first: the verdicts in one paragraph, no number of which is typed in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from handan.findings.claims import VERDICTS, ledger, tally
from handan.formats import listing
from handan.report.words import few

if TYPE_CHECKING:
    from handan.findings.claims import Claims

MARKS = {"supported": "●", "not supported": "✕", "cannot tell": "–"}


def paragraph(found: Claims, studies: list[str]) -> str:
    """Sum the verdicts up.

    Parameters
    ----------
    found : Claims
        What the data say about every claim.
    studies : list of str
        Names of the studies.
    """
    counts, rows = tally(found.rows), found.rows
    told, total = int((counts["studies"] > 0).sum()), len(counts)
    what = f"The study {few(studies)}" if len(studies) == 1 else f"{len(studies)} studies ({few(studies)})"
    verb = "is" if len(studies) == 1 else "are"
    opening = f"{what} {verb} held against the {total} claims of the ledger, by rules that the package fixes."
    if not told:
        return f"{opening} None of the claims can be judged with these data; the section on gaps says why."
    each = listing(f"{int(counts[name].sum())} {name}" for name in VERDICTS)
    edge = int(rows["on_edge"].astype(bool).sum())
    text = f"{opening} The data speak to {told} of them, in {_count(len(rows), 'verdict')}: {each}."
    if edge:
        text += f" Another seed could change {edge} of these."
    if told < total:
        text += f" {_count(total - told, 'claim')} cannot be judged with these data."
    return f"{text} Verdicts are not corrected for their number."


def lines(found: Claims) -> list[str]:
    """List the claims under each verdict, where there are several studies with their names."""
    several = len(found.rows["study"].unique()) > 1
    said = []
    for verdict in VERDICTS:
        here = found.rows[found.rows["verdict"] == verdict].groupby("title", sort=False)["study"]
        titles = [f"{title} ({few(names)})" if several else str(title) for title, names in here]
        if titles:
            said.append(f"{verdict[0].upper()}{verdict[1:]}: {'; '.join(titles)}.")
    return said


def verdict_table(found: Claims) -> pd.DataFrame:
    """Verdicts as the page shows them: a mark beside each, so that no colour is needed."""
    names = ["title", "study", "paper", "ours", "low", "high", "verdict", "on_edge"]
    more = ["n_items", "ceiling", "truncated", "selected", "measure", "certainty"]
    table = found.rows[[*names, *more]].copy()
    table["verdict"] = [f"{MARKS[one]} {one}" for one in table["verdict"]]
    return table


def gaps(found: Claims) -> pd.DataFrame:
    """Claims that could not be judged: ``claim, studies, n, reason``, a row per claim."""
    titles = {entry.name: entry.title for entry in ledger()}
    rows = [
        dict(claim=titles[claim], studies=few(part["study"]), n=len(part), reason=reason)
        for (claim, reason), part in found.silent.groupby(["claim", "reason"], sort=False)
    ]
    return pd.DataFrame(rows, columns=["claim", "studies", "n", "reason"])


def _count(n: int, word: str) -> str:
    return f"{n} {word}{'s' * (n != 1)}"
