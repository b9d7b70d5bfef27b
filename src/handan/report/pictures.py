"""Which tables of a report are drawn, and how; a table is known by its columns."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from handan import figures_claims
from handan.report import forests
from handan.report.compose import Picture
from handan.report.words import clean, labels

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Tables = Mapping[str, pd.DataFrame]
# More models make a matrix that nobody can read.
MOST_MODELS = 60


@dataclass(frozen=True)
class Kind:
    """A kind of table that can be drawn.

    Attributes
    ----------
    columns : frozenset of str
        Columns that make a table one of this kind.
    draw : callable
        Takes name and table, gives a `Picture`, or None where there is nothing to see.
    by : tuple of str
        Columns, such as ``study``; each of their values gets a figure of its own.
    """

    columns: frozenset[str]
    draw: Callable[[str, pd.DataFrame], Picture | None]
    by: tuple[str, ...] = ()


def pictures(name: str, tables: Tables) -> Iterator[Picture | str]:
    """Draw a table of the battery.

    Parameters
    ----------
    name : str
        Name of the table.
    tables : mapping of str to DataFrame
        All tables: a matrix of models needs their order, which is in another one.

    Yields
    ------
    Picture or str
        Nothing for a table without a figure; text says why a figure could not be drawn.
    """
    frame = tables[name]
    for kind in kinds(tables):
        if frame.empty or not kind.columns <= set(frame):
            continue
        groups = frame.groupby(list(kind.by), sort=False) if kind.by else [((), frame)]
        for values, part in groups:
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    drawn = kind.draw(name, part)
            except (ValueError, LookupError) as error:
                where = f" for {', '.join(map(clean, values))}" if kind.by else ""
                yield f"A figure of {name.replace('_', ' ')}{where} could not be drawn: {clean(error)}."
            else:
                yield from [] if drawn is None else [drawn]


def kinds(tables: Tables) -> list[Kind]:
    """List the kinds of tables that can be drawn.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        All tables of the battery.
    """
    models = next((one for one in tables.values() if {"study", "model", "leaf", "x", "y"} <= set(one)), None)

    def _ordered(name: str, frame: pd.DataFrame) -> Picture | None:
        return None if models is None else _matrix(frame, models[models["study"] == frame["study"].iloc[0]])

    return [
        Kind(frozenset({"task", "model", "boot_low", "spearman", "bf10"}), forests.alignment, ("study",)),
        Kind(frozenset({"group", "mean_r", "low", "high"}), forests.means),
        Kind(frozenset({"n_pairs", "difference", "low", "high", "sentence"}), forests.differences),
        Kind(frozenset({"n_pairs", "form", "form_low", "form_high"}), forests.forms),
        Kind(frozenset({"n_pairs", "relation", "multiplier", "multiplier_low"}), forests.multipliers),
        Kind(frozenset({"n_pairs", "relation", "change", "change_low"}), forests.changes),
        Kind(frozenset({"n_models", "relation", "change", "change_low"}), forests.changes),
        Kind(frozenset({"n_run", "supported", "not_supported", "cannot_tell"}), _shares),
        Kind(frozenset({"specification", "run", "difference"}), _curve, ("study", "claim")),
        Kind(frozenset({"a", "b", "r", "role_a", "corrected"}), _ordered, ("study",)),
        Kind(frozenset({"model", "role", "leaf", "x", "y"}), _map, ("study",)),
    ]


def verdicts(rows: pd.DataFrame) -> Picture:
    """Draw the grid of claims and studies.

    Parameters
    ----------
    rows : DataFrame
        ``Claims.rows``, not empty.
    """
    drawn = rows.assign(study=labels(rows["study"]))
    counts = rows["verdict"].value_counts()
    told = ", ".join(f"{counts[name]} {name}" for name in figures_claims.LOOKS if name in counts)
    given, claims = (
        f"{n} {forests.plural(word, n)}"
        for n, word in ((len(rows), "verdict"), (rows["claim"].nunique(), "claim"))
    )
    caption = f"{given} on {claims}: {told}. An empty place is a study that cannot speak to the claim."
    alt = f"A grid of {claims} by study, with a marker for each of {given}."
    return Picture(figures_claims.verdict_grid(drawn), caption, alt)


def _matrix(pairs: pd.DataFrame, models: pd.DataFrame) -> Picture | None:
    from handan import figures_geometry

    shown = models[models["leaf"].notna()]
    if shown.empty:
        return None
    _few_enough(shown)
    names = labels(pd.concat([shown["model"], pairs["a"], pairs["b"]], keys=["model", "a", "b"]))
    drawn = pairs.assign(a=names["a"], b=names["b"])
    fig: Figure = figures_geometry.heatmap(drawn, shown.assign(model=names["model"]))
    best = pairs.loc[pairs["r"].idxmax()] if pairs["r"].notna().any() else None
    nearest = "" if best is None else f": most alike are {clean(best['a'])} and {clean(best['b'])}"
    caption = f"Likeness of {len(shown)} fingerprints in {_study(pairs)}, in hierarchical order{nearest}."
    return Picture(fig, caption, f"A matrix of correlations between {len(shown)} fingerprints.")


def _map(name: str, models: pd.DataFrame) -> Picture | None:
    from handan import figures_geometry

    shown = models[models["x"].notna()]
    if shown.empty:
        return None
    _few_enough(shown)
    fig: Figure = figures_geometry.similarity_map(shown.assign(model=labels(shown["model"])))
    caption = (
        f"Fingerprints of {len(shown)} models in {_study(models)}: near means alike; ellipses show how far "
        "resampled items move a model."
    )
    return Picture(fig, caption, f"A map of {len(shown)} fingerprints in two dimensions.")


def _shares(name: str, summary: pd.DataFrame) -> Picture | None:
    from handan import figures_multiverse

    shown = summary[summary["n_run"] > 0]
    if shown.empty:
        return None
    least, most = (_percent(value) for value in (shown["supported"].min(), shown["supported"].max()))
    share = most if least == most else f"{least} to {most}"
    caption = f"Of the specifications that were run, {share} support a claim, by study and claim."
    fig = figures_multiverse.verdicts(shown.assign(study=forests.drawable(shown["study"])))
    return Picture(
        fig, caption, f"Bars with the share of each verdict, for {len(shown)} pairs of study and claim."
    )


def _curve(name: str, table: pd.DataFrame) -> Picture | None:
    from handan import figures_multiverse
    from handan.findings.multiverse import ranked
    from handan.findings.specifications import CHOICES

    study, claim = table["study"].iloc[0], table["claim"].iloc[0]
    run = ranked(table, study, claim)
    if run.empty:
        return None
    above, below = (_percent((run["interval"] == side).mean()) for side in ("above 0", "below 0"))
    caption = (
        f"{len(run):,} specifications of {claim} in {clean(study)}: {above} of the intervals lie above 0 "
        f"as a whole, {below} below. The grid shows the choices behind each."
    )
    # A user's cost column can have any name.
    drawn = run.assign(cost=forests.drawable(run["cost"]))
    fig = figures_multiverse.curve(drawn, CHOICES, ylabel="difference of r")
    return Picture(
        fig, caption, f"Sorted estimates of {len(run)} specifications above a grid of their choices."
    )


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _few_enough(models: pd.DataFrame) -> None:
    if len(models) > MOST_MODELS:
        raise ValueError(f"{len(models)} models, and more than {MOST_MODELS} cannot be read")


def _study(rows: pd.DataFrame) -> str:
    return clean(rows["study"].iloc[0])
