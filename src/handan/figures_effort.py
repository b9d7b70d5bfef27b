"""Pictures of effort and of multipliers; see `handan.figures` for the rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from handan.drawing import RELATION_ORDER, blue, canvas, legend, log_ticks, role_colours, style, styles

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PARTS = ("teacher", "student", "baseline")
_FACTORS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)
# Round factors on an axis whose ends are at most so many times apart.
_STEPS: tuple[tuple[float, tuple[float, ...]], ...] = (
    (1.6, (0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.3)),
    (6, (0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5)),
    (60, (0.1, 0.2, 0.5, 1, 2, 5, 10, 20)),
    (float("inf"), (0.001, 0.01, 0.1, 1, 10, 100, 1000)),
)
# Names of fits as they stand in a legend.
FITS = {
    "through_origin": "through the origin",
    "ratio_of_means": "ratio of means",
    "geometric": "mean ratio (geometric)",
}


def efforts(table: pd.DataFrame) -> Figure:
    """Distribution of relative effort of a teacher, its students and their baselines, on a log scale.

    Parameters
    ----------
    table : DataFrame
        ``model, part, effort`` of one teacher in one task, from
        `handan.findings.effort.relative_effort`. Zeros have no place on the axis and are left out.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        When the table has several teachers or tasks, or no effort above zero.
    """
    import numpy as np
    import seaborn as sns

    if len(table[["study", "task", "teacher"]].drop_duplicates()) > 1:
        raise ValueError("the table has several teachers or tasks; choose one of each")
    above = table[table["effort"] > 0]
    if above.empty:
        raise ValueError("no effort is above zero, so there is nothing to draw on a log scale")
    data = above.assign(log=np.log(above["effort"].astype(float)))
    ranked = data.sort_values("part", key=lambda parts: parts.map(_PARTS.index), kind="stable")
    order, present = (list(ranked[name].unique()) for name in ("model", "part"))
    fig, axes = canvas(8, 0.36 * len(order) + 1.0)
    sns.boxplot(
        data, x="log", y="model", order=order, hue="part", hue_order=present, palette=role_colours(),
        dodge=False, fliersize=2, linewidth=0.9, width=0.65, ax=axes,
    )  # fmt: skip
    axes.axvline(0, color="0.5", linewidth=0.8, linestyle="--")
    _factor_axis(axes.xaxis, data["log"].min(), data["log"].max())
    axes.set(xlabel="relative effort (cost of an item over the teacher's mean cost, log scale)", ylabel="")
    legend(axes)
    return fig


def multipliers(
    table: pd.DataFrame, fits: Mapping[str, str] = FITS, *, published: float | None = None
) -> Figure:
    """One multiplier per pair through several fits, side by side, with intervals on a log scale.

    Parameters
    ----------
    table : DataFrame
        A row per pair: ``label`` and, for every fit, its column and ``_low, _high``. A fit that is
        not above zero has no place on the axis and is left out.
    fits : mapping of str to str
        Columns, and their names in the legend.
    published : float, optional
        The paper's multiplier, drawn as a dotted line.

    Returns
    -------
    Figure
    """
    fig, axes = canvas(8, 0.42 * len(table) + 1.0)
    looks = styles(list(fits.values()))
    rows = table.reset_index(drop=True)
    for k, (fit, name) in enumerate(fits.items()):
        known = rows[rows[fit] > 0]
        place = known.index + 0.22 * (k - (len(fits) - 1) / 2)
        colour, marker = looks[name]
        look: dict[str, Any] = dict(fmt=marker, color=colour, capsize=2, markersize=5, label=name)
        axes.errorbar(known[fit].to_numpy(float), place.to_numpy(), xerr=_errors(known, fit), **look)
    axes.axvline(1, color="0.5", linewidth=0.8, linestyle="--")
    axes.set_xscale("log")
    shown = rows[list(fits)].where(rows[list(fits)] > 0)
    if published is not None:
        shown = shown.assign(published=published)
        axes.axvline(published, color="0.15", lw=1.2, ls=":", label=f"the paper's {published:g}")
    _plain_ticks(axes, shown.min().min(), shown.max().max())
    axes.set(yticks=list(rows.index), yticklabels=rows["label"])
    axes.set(xlabel="times the reference's cost (log scale)")
    axes.set_ylim(len(rows) - 0.5, -0.5)
    legend(axes)
    return fig


def ratios(table: pd.DataFrame, lines: pd.DataFrame, *, xlabel: str, columns: int = 3) -> Figure:
    """Ratio of costs against difficulty, item by item, a panel per pair, with the multiplier's course.

    Parameters
    ----------
    table : DataFrame
        ``panel, human, ratio``, a row per item.
    lines : DataFrame
        ``panel, human, multiplier``: two or more points of each panel's line.
    xlabel : str
        Label of the axis of difficulty, with its unit.
    columns : int
        Panels per line.

    Returns
    -------
    Figure
    """
    import numpy as np

    names = list(dict.fromkeys(table["panel"]))
    fig, panels = _panels(len(names), columns)
    for axes, name in zip(panels, names, strict=False):
        part, line = table[table["panel"] == name], lines[lines["panel"] == name]
        axes.axhline(0, color="0.5", linewidth=0.8, linestyle="--")
        axes.plot(part["human"], np.log(part["ratio"]), ".", color=blue(), markersize=4, alpha=0.6)
        axes.plot(line["human"], np.log(line["multiplier"]), "-", color="0.15", linewidth=1.6)
        axes.set(title=name)
    logs = np.log(table["ratio"])
    _factor_axis(panels[0].yaxis, logs.min(), logs.max())
    fig.supxlabel(xlabel, fontsize=10)
    fig.supylabel("times the reference's cost (log scale)", fontsize=10)
    return fig


def origin_lines(table: pd.DataFrame, lines: Mapping[str, float]) -> Figure:
    """Student's cost against its reference's, a panel per study, with a line through the origin.

    Parameters
    ----------
    table : DataFrame
        ``panel, reference, student`` (tokens), a row per item or point.
    lines : mapping of str to float
        Slope of each panel's line; its order is the order of the panels.

    Returns
    -------
    Figure
    """
    fig, panels = _panels(len(lines), len(lines))
    end = float(table["reference"].max())
    for axes, (name, slope) in zip(panels, lines.items(), strict=True):
        part = table[table["panel"] == name]
        axes.plot(part["reference"], part["student"], ".", color=blue(), markersize=5, alpha=0.6)
        axes.plot([0, end], [0, slope * end], "-", color="0.15", linewidth=1.4)
        axes.set(title=name)
    fig.supxlabel("cost of the reference (tokens)", fontsize=10)
    fig.supylabel("cost of the student (tokens)", fontsize=10)
    return fig


def changes(table: pd.DataFrame, within: float) -> Figure:
    """Change of the multiplier per standard deviation of difficulty, with the band that counts as constant.

    Parameters
    ----------
    table : DataFrame
        ``label, relation, change, change_low, change_high``, a row per line.
    within : float
        The band reaches from ``1 / within`` to ``within``.

    Returns
    -------
    Figure
    """
    fig, axes = canvas(8, 0.3 * len(table) + 1.1)
    rows = table.reset_index(drop=True)
    names = sorted(set(rows["relation"]), key=[*RELATION_ORDER, *rows["relation"]].index)
    looks = dict(zip(names, styles([f"line {k}" for k in range(len(names))]).values(), strict=True))
    axes.axvspan(1 / within, within, color="0.9", zorder=0, label="counts as constant")
    for name in names:
        part = rows[rows["relation"] == name]
        colour, marker = looks[name]
        look: dict[str, Any] = dict(fmt=marker, color=colour, capsize=2, markersize=5, label=name)
        axes.errorbar(part["change"].to_numpy(float), part.index, xerr=_errors(part, "change"), **look)
    axes.axvline(1, color="0.5", linewidth=0.8, linestyle="--")
    axes.set_xscale("log")
    _plain_ticks(axes, rows["change_low"].min(), rows["change_high"].max())
    axes.set(yticks=list(rows.index), yticklabels=rows["label"])
    axes.set(xlabel="change of the multiplier per standard deviation of difficulty (factor)")
    axes.set_ylim(len(rows) - 0.5, -0.5)
    legend(axes)
    return fig


def _errors(rows: pd.DataFrame, value: str) -> list[np.ndarray]:
    """Give what errorbar draws to each side: nothing where an end is missing, and low ends above 0."""
    sides = rows[value] - rows[f"{value}_low"].clip(lower=1e-6), rows[f"{value}_high"] - rows[value]
    return [side.clip(lower=0).fillna(0).to_numpy(float) for side in sides]


def _factor_axis(axis: Any, low: float, high: float) -> None:
    """Label an axis of log factors with the factors."""
    import math

    inside = [value for value in _FACTORS if low - 0.2 <= math.log(value) <= high + 0.2]
    log_ticks(axis, inside or [1])


def _plain_ticks(axes: Axes, low: float, high: float) -> None:
    """Label a log axis with round factors, 0.5 and not 5 × 10⁻¹."""
    from matplotlib.ticker import NullFormatter, NullLocator

    reach = high / max(low, 1e-9)
    steps = next(found for limit, found in _STEPS if reach <= limit)
    shown = [step for step in steps if low / 1.15 <= step <= high * 1.15] or [1]
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xticks(shown, [f"{step:g}" for step in shown])


def _panels(n: int, columns: int) -> tuple[Figure, list[Axes]]:
    import matplotlib.pyplot as plt

    wide = min(columns, n)
    lines = -(-n // wide)
    with plt.rc_context(style()):
        fig, grid = plt.subplots(
            lines, wide, figsize=(2.9 * wide + 0.5, 2.5 * lines + 0.3), sharex=True, sharey=True,
            squeeze=False, layout="constrained",
        )  # fmt: skip
    panels = list(grid.flat)
    for axes in panels[n:]:
        axes.remove()
    return fig, panels[:n]
