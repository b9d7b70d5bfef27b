"""Pictures of verdicts: a grid of claims and studies, and a claim's intervals beside the paper's number."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handan.drawing import canvas

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

# Colour and marker of each verdict: told apart in grey as well.
LOOKS = {"supported": (2, "o"), "not supported": (3, "X"), "cannot tell": (7, "_")}


def literal(name: object) -> str:
    """Give a name as matplotlib shows it literally: a dollar sign would begin a formula."""
    return str(name).replace("$", r"\$")


def verdict_grid(rows: pd.DataFrame) -> Figure:
    """Draw a marker per claim and study; an empty place is a study that cannot speak to the claim.

    Parameters
    ----------
    rows : DataFrame
        ``title, study, verdict``, in the order in which they are to stand.

    Returns
    -------
    Figure
    """
    import seaborn as sns

    titles, studies = (list(dict.fromkeys(rows[name])) for name in ("title", "study"))
    palette = sns.color_palette("colorblind")
    fig, axes = canvas(2.6 + 0.75 * len(studies) + 2, 0.34 * len(titles) + 1.5)
    for verdict, (colour, marker) in LOOKS.items():
        part = rows[rows["verdict"] == verdict]
        x, y = (
            [order.index(one) for one in part[name]]
            for name, order in (("study", studies), ("title", titles))
        )
        axes.scatter(x, y, color=palette[colour], marker=marker, s=90, linewidths=2, label=verdict)
    axes.set_xticks(range(len(studies)), [literal(name) for name in studies], rotation=40, ha="right")
    axes.set_yticks(range(len(titles)), [literal(name) for name in titles])
    axes.set(xlim=(-0.6, len(studies) - 0.4), ylim=(len(titles) - 0.4, -0.6), xlabel="", ylabel="")
    axes.grid(color="0.9", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1.01, 1))
    return fig


def beside_the_paper(rows: pd.DataFrame, xlabel: str, mark: str = "the published number") -> Figure:
    """Draw the estimates of one claim by study, with intervals, beside the published number.

    Parameters
    ----------
    rows : DataFrame
        ``study, ours, low, high, verdict, paper``, all of one claim.
    xlabel : str
        Axis label, with the unit.
    mark : str
        What ``paper`` is, where it is a number: the legend of the line drawn there.

    Returns
    -------
    Figure
    """
    import seaborn as sns

    palette = sns.color_palette("colorblind")
    fig, axes = canvas(7.5, 0.32 * len(rows) + 1.0)
    table = rows.reset_index(drop=True)
    for verdict, (colour, marker) in LOOKS.items():
        part = table[table["verdict"] == verdict]
        if part.empty:
            continue
        error = [(part["ours"] - part["low"]).to_numpy(float), (part["high"] - part["ours"]).to_numpy(float)]
        axes.errorbar(
            part["ours"], part.index, xerr=error, fmt="s" if marker == "_" else marker,
            color=palette[colour], capsize=2, markersize=6, linewidth=1.5, label=verdict,
        )  # fmt: skip
    paper = table["paper"].iloc[0]
    if isinstance(paper, float):
        axes.axvline(paper, color="0.3", linewidth=1, linestyle="--", label=mark)
    else:
        axes.axvline(0, color="0.5", linewidth=0.8, linestyle=":", label="no difference")
    axes.set(yticks=list(table.index), yticklabels=[literal(name) for name in table["study"]], xlabel=xlabel)
    axes.set_ylim(len(table) - 0.5, -0.5)
    axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1.01, 1))
    return fig
