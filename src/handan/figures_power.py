"""Pictures of what a number of items can show; see `handan.figures` for the rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from handan.drawing import canvas, legend, style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MARKERS = "osD^vP*X"
_TICKS = (10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)


def power_curves(
    table: pd.DataFrame,
    *,
    outcome: str = "power",
    ylabel: str = "probability that the 95 % interval excludes 0",
    target: float = 0.8,
    studies: pd.DataFrame | None = None,
) -> Figure:
    """Probability of an outcome against the number of items, a line per correlation between models.

    Parameters
    ----------
    table : DataFrame
        ``r_ab, n_items, method`` and the column `outcome`, from
        `handan.stats.power_table.power_table`. Rows of the formula are lines, those of a
        simulation markers, with the Monte Carlo interval ``low, high`` of ``power``.
    outcome : str
        A column of probabilities.
    ylabel : str
        What it is.
    target : float
        Probability aimed at, drawn as a line.
    studies : DataFrame, optional
        ``study, n_items``: recorded studies, marked at the top.

    Returns
    -------
    Figure
    """
    import matplotlib.pyplot as plt
    import seaborn as sns

    fig, axes = canvas(7.5, 4.0)
    values = sorted(table["r_ab"].unique())
    colours = sns.color_palette("colorblind", len(values))
    with plt.rc_context(style()):
        for k, (r_ab, colour) in enumerate(zip(values, colours, strict=True)):
            rows = table[table["r_ab"] == r_ab].dropna(subset=[outcome]).sort_values("n_items")
            computed = rows[rows["method"] == "formula"]
            dashes = (None, None) if k % 2 == 0 else (5, 2)
            label = f"r between models {r_ab:.1f}"
            items, shares = computed[["n_items", outcome]].to_numpy(dtype=float).T
            axes.plot(items, shares, color=colour, dashes=dashes, label=label)
            _simulated(
                axes, rows[rows["method"] == "simulation"], outcome, colour, _MARKERS[k % len(_MARKERS)]
            )
    axes.axhline(target, color="0.4", linewidth=0.8, linestyle=":")
    axes.set(xscale="log", ylim=(0, 1.02), xlabel="items (log scale)", ylabel=ylabel)
    limits = axes.get_xlim()
    ticks = [tick for tick in _TICKS if limits[0] <= tick <= limits[1]]
    axes.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    axes.set_xticks([], minor=True)
    if studies is not None:
        _marks(axes, studies, limits)
    legend(axes)
    return fig


def rejections(table: pd.DataFrame, *, x: str, xlabel: str, level: float) -> Figure:
    """Share of simulated studies in which each test rejects.

    Parameters
    ----------
    table : DataFrame
        ``test, rejected`` (a share) and the column `x`.
    x : str
        Column of the horizontal axis.
    xlabel : str
        Its label.
    level : float
        Nominal level, drawn as a line.

    Returns
    -------
    Figure
    """
    import seaborn as sns

    fig, axes = canvas(7, 3.8)
    sns.lineplot(
        table, x=x, y="rejected", hue="test", style="test", markers=True, palette="colorblind", ax=axes
    )
    axes.axhline(level, color="0.4", linewidth=0.8, linestyle=":")
    axes.set(xlabel=xlabel, ylabel="share of simulated studies that reject", ylim=(0, 1.02))
    axes.legend(title="", frameon=False, bbox_to_anchor=(1.01, 1), loc="upper left")
    return fig


def _simulated(axes: Axes, rows: pd.DataFrame, outcome: str, colour: Any, marker: str) -> None:
    if rows.empty:
        return
    low, high, items, shares = rows[["low", "high", "n_items", outcome]].to_numpy(dtype=float).T
    axes.plot(items, shares, marker, color=colour, markersize=5)
    if outcome == "power":
        axes.vlines(items, low, high, color=colour, linewidth=1.2)


def _marks(axes: Axes, studies: pd.DataFrame, limits: tuple[float, float]) -> None:
    """Name each study above the panel, at its number of items."""
    shown = studies[studies["n_items"].between(*limits)].sort_values("n_items")
    steps = shown["n_items"].pct_change().fillna(float("inf"))
    nearer_the_next = steps.shift(-1).fillna(float("inf")) < steps
    for row, left in zip(shown.itertuples(), nearer_the_next, strict=True):
        axes.axvline(row.n_items, color="0.6", linewidth=0.8, linestyle="--", zorder=0)
        # Away from the nearest neighbour, so that two studies of one size can both be read.
        side = "right" if left else "left"
        place: dict[str, Any] = dict(rotation=90, ha=side, va="bottom", fontsize=8, color="0.25")
        axes.text(row.n_items, 1.03, row.study, transform=axes.get_xaxis_transform(), **place)
