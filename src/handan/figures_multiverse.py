"""Pictures of a multiverse: the specification curve, its verdicts, and one change at a time.

Everything here draws a table that is computed already (see `handan.figures`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from handan.drawing import blue, canvas, legend, style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INTERVALS = ("below 0", "includes 0", "above 0")
VERDICTS = ("supported", "not_supported", "cannot_tell")


def curve(table: pd.DataFrame, choices: Sequence[str], *, ylabel: str) -> Figure:
    """Estimates in order, and below each of them the levels of the choices that led to it.

    Parameters
    ----------
    table : DataFrame
        ``place, difference, low, high, interval`` (one of `INTERVALS`) and a column per choice,
        as `handan.findings.multiverse.ranked` gives it.
    choices : sequence of str
        Choices to show, from top to bottom; those with one level are left out.
    ylabel : str
        Label of the axis of the estimates.

    Returns
    -------
    Figure
        Two panels: the curve, and the dashboard of choices.
    """
    import matplotlib.pyplot as plt

    levels = [(choice, level) for choice in choices for level in _levels(table, choice)]
    height = 2.6 + 0.21 * max(len(levels), 1)
    with plt.rc_context(style()):
        fig, (top, below) = plt.subplots(
            2, 1, figsize=(8, height), sharex=True, layout="constrained",
            height_ratios=[2.4, height - 2.4],
        )  # fmt: skip
    _estimates(top, table, ylabel)
    _dashboard(below, table, levels)
    return fig


def departures(table: pd.DataFrame, *, xlabel: str) -> Figure:
    """Results with one choice changed at a time, below the reference that they depart from.

    Parameters
    ----------
    table : DataFrame
        Rows of `handan.findings.confounds.confounds` of one study, claim and relation, the
        reference first: ``choice, level, difference, low, high``. Rows without a value are
        not drawn.
    xlabel : str
        Label of the axis.

    Returns
    -------
    Figure
    """
    rows = table[table["difference"].notna()].reset_index(drop=True)
    fig, axes = canvas(8, 0.3 * len(rows) + 1.0)
    for place, row in rows.iterrows():
        first = row["choice"] == "reference"
        look: dict[str, Any] = dict(color="0.1", marker="D") if first else dict(color=blue(), marker="o")
        axes.plot([row["low"], row["high"]], [place, place], color=look["color"], linewidth=1.5)
        axes.plot(row["difference"], place, markersize=6, **look)
        if first:
            axes.axvspan(row["low"], row["high"], color="0.93", linewidth=0)
            axes.axvline(row["difference"], color="0.4", linewidth=0.8, linestyle=":")
    axes.axvline(0, color="0.5", linewidth=0.8, linestyle="--")
    axes.set(yticks=list(rows.index), yticklabels=rows["choice"] + ": " + rows["level"], xlabel=xlabel)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    return fig


def verdicts(summary: pd.DataFrame) -> Figure:
    """Share of the specifications that give each verdict, a bar per study and claim.

    Parameters
    ----------
    summary : DataFrame
        ``study, claim, n_run`` and a share for each of `VERDICTS`; rows without specifications
        are not drawn.

    Returns
    -------
    Figure
    """
    rows = summary[summary["n_run"] > 0].reset_index(drop=True)
    fig, axes = canvas(8, 0.42 * len(rows) + 1.0)
    start = rows["n_run"] * 0.0
    for name, (colour, hatch) in zip(VERDICTS, _fills(), strict=True):
        look = dict(height=0.66, color=colour, edgecolor="white", hatch=hatch)
        axes.barh(rows.index, rows[name].astype(float), left=start, label=name.replace("_", " "), **look)
        start = start + rows[name].astype(float)
    names = [f"{row.study}, {row.claim} ({row.n_run})" for row in rows.itertuples()]
    axes.set(yticks=list(rows.index), yticklabels=names, xlim=(0, 1), xlabel="share of the specifications")
    axes.set_ylim(len(rows) - 0.5, -0.5)
    legend(axes)
    return fig


def _levels(table: pd.DataFrame, choice: str) -> list[str]:
    found = list(dict.fromkeys(table[choice]))
    return sorted(found) if len(found) > 1 else []


def _estimates(axes: Axes, table: pd.DataFrame, ylabel: str) -> None:
    axes.vlines(table["place"], table["low"], table["high"], color="0.85", linewidth=0.8)
    for name, (colour, marker) in _looks().items():
        part = table[table["interval"] == name]
        if len(part):
            axes.plot(part["place"], part["difference"], marker, color=colour, markersize=2.6, label=name)
    axes.axhline(0, color="0.4", linewidth=0.8, linestyle="--")
    axes.set(ylabel=ylabel)
    axes.legend(
        title="95 % interval", frameon=False, loc="upper left", bbox_to_anchor=(1.01, 1), markerscale=2
    )


def _dashboard(axes: Axes, table: pd.DataFrame, levels: Sequence[tuple[str, str]]) -> None:
    colours = {name: colour for name, (colour, _) in _looks().items()}
    for row, (choice, level) in enumerate(levels):
        part = table[table[choice] == level]
        axes.scatter(
            part["place"], [row] * len(part), c=[colours[name] for name in part["interval"]],
            marker="|", s=26, linewidths=0.8,
        )  # fmt: skip
        if row and levels[row - 1][0] != choice:
            axes.axhline(row - 0.5, color="0.8", linewidth=0.6)
    # A column may be called anything; dollars would be read as mathematics.
    names = [f"{choice}: {level}".replace("_", " ").replace("$", r"\$") for choice, level in levels]
    axes.set(
        yticks=range(len(levels)), yticklabels=names, xlabel="specifications, in the order of their estimates"
    )
    axes.set_ylim(max(len(levels), 1) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)


def _looks() -> dict[str, tuple[Any, str]]:
    import seaborn as sns

    palette = sns.color_palette("colorblind")
    return dict(zip(INTERVALS, ((palette[1], "v"), ("0.35", "o"), (palette[0], "^")), strict=True))


def _fills() -> list[tuple[Any, str]]:
    import seaborn as sns

    palette = sns.color_palette("colorblind")
    return [(palette[0], ""), (palette[1], "//"), ("0.8", "")]
