"""How a table of findings is shown: which columns, under which headings, with which intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

# Sentences are shown as sentences, and what a table is about is said by its caption.
HIDDEN = ("sentence", "title", "where", "rule")
HEADINGS = {
    "n": "items", "n_items": "items", "n_tasks": "tasks", "n_models": "models", "n_pairs": "pairs",
    "n_cells": "cells", "n_seeds": "seeds", "n_rows": "cost rows", "n_undefined": "r undefined",
    "r_low": "r, low", "r_high": "r, high", "bf10": "Bayes factor", "partial_r": "partial r",
    "r_over_ceiling": "r / ceiling", "mean_r": "mean r", "mean_r_fisher": "mean r, Fisher z",
    "r_a": "r of a", "r_b": "r of b", "r_ab": "r of a with b", "williams_p": "Williams p",
    "on_edge": "on the edge",
    "truncated": "cut", "truncated_a": "cut, a", "truncated_b": "cut, b", "ours": "we got",
    "truncated_student": "cut, student", "truncated_reference": "cut, reference",
    "r_or_zero": "r, or 0", "n_specifications": "specifications", "n_run": "run", "n_points": "points",
    "n_small": "too small cells", "williams_p_holm": "p, Holm", "delta_from_reference": "delta",
    "p_smallest": "smallest p", "p_median": "p of the median", "in_direction": "in direction",
    "clear_for": "clearly for", "clear_against": "clearly against", "n_zero": "items at 0",
    "power_for_paper": "power for the paper's drop", "n_samples": "samples", "n_ungraded": "ungraded",
}  # fmt: skip
# Shown even where nothing is known: an r must not stand without them.
ALWAYS = ("ceiling", "truncated")
# Item-bootstrap intervals come before analytic ones.
_NAMED = {
    "boot": ("difference", "r"), "zou": ("difference",), "zero": ("r_or_zero",),
    "delta": ("delta_from_reference",),
}  # fmt: skip
# An interval called only low and high belongs to the first of these that a table has.
ESTIMATES = (
    *("ours", "difference", "estimate", "mean_r", "form", "slope", "effect", "share", "partial_r"),
    *("spearman", "r", "value", "multiplier"),
)


@dataclass(frozen=True)
class Look:
    """Columns of a table as `handan.book.html_table.html_table` takes them.

    Attributes
    ----------
    labels : dict of str to str
        Columns in order, with their headings.
    intervals : dict of str to (str, str)
        Estimate and the ends of its interval, which become one column.
    """

    labels: dict[str, str]
    intervals: dict[str, tuple[str, str]]


def look(frame: pd.DataFrame, chosen: Sequence[str] = ()) -> Look:
    """Decide how to show a table.

    Parameters
    ----------
    frame : DataFrame
        Any table.
    chosen : sequence of str
        Columns to show, in order, as far as the table has them; by default, or where it has
        none of them, all but `HIDDEN`. Ends of intervals need not be named.

    Returns
    -------
    Look
    """
    intervals = _intervals(frame)
    ends = {end for pair in intervals.values() for end in pair}
    names = [name for name in chosen if name in frame] or [str(name) for name in frame]
    shown = [name for name in names if name not in (*ends, *HIDDEN) and not _says_nothing(frame[name])]
    labels = {name: HEADINGS.get(name, name.replace("_", " ")) for name in shown}
    labels |= {name: f"{labels[name]} [95 %]" for name in intervals if name in labels}
    return Look(labels, {name: pair for name, pair in intervals.items() if name in labels})


def digits(frame: pd.DataFrame) -> Mapping[str, int]:
    """Decimals by column: counts of items have none, small differences three."""
    three = [name for name in ("difference", "form", "estimate", "se") if name in frame]
    return dict.fromkeys(three, 3)


def _intervals(frame: pd.DataFrame) -> dict[str, tuple[str, str]]:
    found: dict[str, tuple[str, str]] = {}
    starts = [*_NAMED.items(), *((str(name), (str(name),)) for name in frame), ("", ESTIMATES)]
    for start, estimates in starts:
        ends = (f"{start}_low", f"{start}_high") if start else ("low", "high")
        owner = next((name for name in estimates if name in frame and _numeric(frame[name])), None)
        if owner and set(ends) <= set(frame):
            found.setdefault(owner, ends)
    return found


def _numeric(values: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)


def _says_nothing(values: pd.Series) -> bool:
    if str(values.name).startswith(ALWAYS):
        return False
    if values.name == "claim" and len(values.unique()) == 1:
        return True
    return len(values) > 0 and bool((values.isna() | (values.astype("string") == "")).all())
