"""Claim by claim: the paper says, we got, on these data, with this interval, so it is ...

The ledger (``data/claims.toml``) says what is claimed, where it was said, which row of which
finding speaks to it, and which rule decides (`handan.findings.rules`). This module looks the
rows up and applies the rules; it computes no estimate of its own. What a study cannot speak
to is listed with the reason, so that silence is never taken for an answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from handan.findings.ledger import Entry, Source, ledger
from handan.findings.rules import factor, near, on_edge
from handan.findings.verdict import CANNOT_TELL, NOT_SUPPORTED, SUPPORTED
from handan.formats import count, interval, listing, number
from handan.output import records
from handan.stats.percentile import tail

COLUMNS = ["claim", "study", "paper", "ours", "low", "high", "verdict"]
MORE = [
    *("on_edge", "n_items", "ceiling", "truncated", "measure", "rule", "title", "certainty", "where"),
    *("selected", "sentence"),
]
SILENT = ["claim", "study", "reason"]
_DRAWS = "another seed"
_CEILING = "a noise ceiling elsewhere in its interval"
VERDICTS = (SUPPORTED, NOT_SUPPORTED, CANNOT_TELL)


@dataclass(frozen=True)
class Claims:
    """What the data say about every claim.

    Attributes
    ----------
    rows : DataFrame
        A row per claim × study that can speak to it: `COLUMNS`, then `MORE`. ``paper`` is a
        number or a direction; ``selected`` says which models were compared; ``sentence`` holds
        it all in words.
    silent : DataFrame
        A row per claim × study that cannot: `SILENT`.
    """

    rows: pd.DataFrame
    silent: pd.DataFrame


def claims(tables: Mapping[str, pd.DataFrame], facts: pd.DataFrame, *, n_boot: int = 10_000) -> Claims:
    """Look up every claim in the tables of the findings, and judge it.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        Findings by name, as `handan.battery.battery` gives them; each has a column ``study``.
    facts : DataFrame
        A row per study: ``study, measure, ceiling, timed`` (whether the measure is a time of
        people), ``families`` (whether it is a study of families of tiny models); if known,
        ``ceiling_low, ceiling_high``, the ceilings at the ends of the reliability's interval.
    n_boot : int
        Draws behind the intervals, for saying which verdicts are on the edge: those that other
        draws, or by the rule ``near`` one of these ceilings, could change.

    Returns
    -------
    Claims

    Raises
    ------
    ValueError
        When several rows of a finding answer to one claim in one study.
    """
    rows, silent = [], []
    for entry in ledger():
        for fact in facts.to_dict("records"):
            found, reason = _rows(entry, fact, tables)
            rows += [_judged(entry, fact, name, row, source, n_boot) for name, row, source in found]
            if not found:
                silent.append(dict(claim=entry.name, study=fact["study"], reason=reason))
    return Claims(pd.DataFrame(rows, columns=[*COLUMNS, *MORE]), pd.DataFrame(silent, columns=SILENT))


def tally(rows: pd.DataFrame) -> pd.DataFrame:
    """Count the verdicts of every claim.

    Parameters
    ----------
    rows : DataFrame
        ``Claims.rows``.

    Returns
    -------
    DataFrame
        ``claim, title, supported, not supported, cannot tell, studies``, in the ledger's order.
    """
    counts = []
    for entry in ledger():
        here = rows.loc[rows["claim"] == entry.name, "verdict"]
        each = {name: int((here == name).sum()) for name in VERDICTS}
        counts.append(dict(claim=entry.name, title=entry.title, **each, studies=len(here)))
    return pd.DataFrame(counts)


def as_json(found: Claims) -> dict[str, list[dict[str, Any]]]:
    """Turn all verdicts, and what stays silent, into what JSON can hold.

    Parameters
    ----------
    found : Claims
        A result of `claims`.

    Returns
    -------
    dict of str to list of dict
        ``claims`` and ``silent``; what is missing is None.
    """
    return {"claims": records(found.rows), "silent": records(found.silent)}


def _rows(
    entry: Entry, fact: Mapping[str, Any], tables: Mapping[str, pd.DataFrame]
) -> tuple[list[tuple[str, pd.Series, Source]], str]:
    """Name, row and source of what speaks to a claim in one study, or why nothing does."""
    source = entry.families if fact["families"] else entry.source
    table = tables.get(source.table) if source else None
    needs = f"it needs {entry.needs}"
    if fact["families"] and source is None:
        return [], "this number is not among those that families of tiny models are judged by"
    if entry.timed and not fact["timed"]:
        return [], f"nobody was timed: its measure is {fact['measure']}"
    if source is None or table is None or not {"study", *source.columns} <= set(table.columns):
        return [], needs
    part = table[table["study"] == fact["study"]]
    for column, values in source.select.items():
        value = next((one for one in values if (part[column] == one).any()), None)
        part = part[part[column] == value]
    known = part[part[source.columns[0]].notna()]
    for column, least in source.least.items():
        known = known[known[column] >= least]
    if known.empty:
        return [], needs if part.empty else f"too little was measured: {entry.needs}"
    labels = [fact["study"]] * len(known)
    if fact["families"]:
        labels = [f"{fact['study']} ({one})" for one in known["repertoire"]]
    if len(set(labels)) < len(labels):
        raise ValueError(f"{len(known)} rows of {source.table} answer to claim {entry.name} in {labels[0]}")
    return [(label, row, source) for label, (_, row) in zip(labels, known.iterrows(), strict=True)], ""


def _judged(
    entry: Entry, fact: Mapping[str, Any], study: str, row: pd.Series, source: Source, n_boot: int
) -> dict[str, Any]:
    ours, low, high = (float(row[column]) for column in source.columns)
    cut = row[[name for name in row.index if str(name).startswith("truncated")]].astype(float)
    context = dict(ceiling=float(row.get("ceiling", fact["ceiling"])), measure=fact["measure"])
    context |= dict(truncated=float(cut.mean()) if len(cut) else np.nan, n_items=int(row["n_items"]))
    ceilings = context["ceiling"], *(float(fact.get(f"ceiling_{end}", np.nan)) for end in ("low", "high"))
    found, edge = _verdict(entry, row, low, high, ceilings, n_boot)
    told: dict[str, Any] = dict(
        claim=entry.name, study=study, paper=entry.paper, ours=ours, low=low, high=high
    )
    told |= dict(verdict=found, on_edge=bool(edge), rule=entry.rule, title=entry.title, **context)
    told |= dict(edge=edge, units=source.units)
    told |= dict(certainty=entry.certainty, where=entry.where, selected=_selected(source, row))
    return told | {"sentence": _sentence(told)}


def _verdict(
    entry: Entry, row: pd.Series, low: float, high: float, ceilings: Sequence[float], n_boot: int
) -> tuple[str, str]:
    """Judge a row; the second text says what could change the verdict, and is empty if nothing could."""
    if entry.rule not in ("near", "factor"):
        return str(row["verdict"]), _DRAWS if row["on_edge"] else ""
    paper, items = float(entry.paper), float(row.get("largest", row["n_items"]))
    if entry.rule == "near":
        judge, *others = (
            partial(near, paper=paper, n_items=items, ceiling=one)
            for k, one in enumerate(ceilings)
            if not k or np.isfinite(one)
        )
        found = judge(low, high)
        if on_edge(judge, low, high, _end_error(low, high, n_boot, items)):
            return found, _DRAWS
        return found, _CEILING if any(other(low, high) != found for other in others) else ""
    if not low > 0:
        return factor(low, high, paper, items), ""
    ends = float(np.log(low)), float(np.log(high))

    def _of_logs(a: float, b: float) -> str:
        return factor(float(np.exp(a)), float(np.exp(b)), paper, items)

    edge = on_edge(_of_logs, *ends, _end_error(*ends, n_boot, items))
    return factor(low, high, paper, items), _DRAWS if edge else ""


def _end_error(low: float, high: float, n_boot: int, n_items: float) -> float:
    """Two standard errors of an end of a 95 % percentile interval of normal draws."""
    from scipy.stats import norm

    share = float(tail(n_items)) if n_items > 1 else 0.025
    reach = norm.isf(share)
    deviation = (high - low) / (2 * reach)
    return float(2 * deviation * np.sqrt(share * (1 - share) / n_boot) / norm.pdf(reach))


def _selected(source: Source, row: pd.Series) -> str:
    return listing(f"{column} {row[column]}" for column in source.select) if source.select else source.table


def _sentence(told: Mapping[str, Any]) -> str:
    paper = told["paper"] if isinstance(told["paper"], str) else number(told["paper"])
    ceiling = "" if np.isnan(told["ceiling"]) else f", noise ceiling {number(told['ceiling'])}"
    cut = "" if np.isnan(told["truncated"]) else f", {100 * told['truncated']:.1f} % of traces cut"
    edge = f"; {told['edge']} could change this" if told["edge"] else ""
    digits = 3 if told["rule"] in ("constant", "direction") else 2
    size = f"{count(told['n_items'])} {told['units'] if told['n_items'] != 1 else told['units'][:-1]}"
    return (
        f"In {told['study']} ({told['measure']}, {size}{ceiling}{cut}) we get "
        f"{interval(told['ours'], told['low'], told['high'], digits)}, the claim is {paper}: "
        f"{told['verdict']}{edge}."
    )
