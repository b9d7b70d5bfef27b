"""Pictures of findings. Everything here draws a table that is computed already.

Each function takes a tidy table and returns a matplotlib ``Figure``; nothing is shown or
saved. Colours are seaborn's colour-blind safe set, and every colour has its own marker, so
that the pictures survive a grey printer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from handan.drawing import (
    SECONDS,
    blue,
    canvas,
    legend,
    log_ticks,
    role_looks,
    seconds_axis,
    style,
    styles,
    tokens_axis,
    within,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


def response_times(norms: pd.DataFrame) -> Figure:
    """Spread of item mean response times, by task.

    Parameters
    ----------
    norms : DataFrame
        ``task, log_rt`` (ln seconds), a row per item.

    Returns
    -------
    Figure
    """
    import seaborn as sns

    order = norms.groupby("task")["log_rt"].median().sort_values().index.tolist()
    fig, axes = canvas(8, 0.42 * len(order) + 0.9)
    look = dict(color="0.75", fliersize=0, linewidth=1, width=0.6)
    sns.boxplot(norms, x="log_rt", y="task", order=order, ax=axes, **look)
    sns.stripplot(norms, x="log_rt", y="task", order=order, ax=axes, size=2.5, alpha=0.5, color=blue())
    seconds_axis(axes, norms["log_rt"].min(), norms["log_rt"].max())
    axes.set(xlabel="mean response time of an item (s, log scale)", ylabel="")
    return fig


def intervals(
    table: pd.DataFrame,
    *,
    value: str,
    low: str,
    high: str,
    label: str,
    xlabel: str,
    group: str | None = None,
    ceiling: str | None = None,
    zero: bool = True,
) -> Figure:
    """Estimates with their intervals, one line each, from top to bottom in the table's order.

    Parameters
    ----------
    table : DataFrame
        A row per line.
    value, low, high : str
        Columns of the estimate and its interval.
    label : str
        Column with the name of the line.
    xlabel : str
        Axis label, with the unit.
    group : str, optional
        Column that gives colour and marker; roles keep their own.
    ceiling : str, optional
        Column with a noise ceiling, drawn as a vertical tick.
    zero : bool
        Whether to mark zero.

    Returns
    -------
    Figure
    """
    fig, axes = canvas(8, 0.3 * len(table) + 1.0)
    rows = table.reset_index(drop=True)
    names = [None] if group is None else list(dict.fromkeys(rows[group]))
    looks = styles([name for name in names if name is not None])
    for name in names:
        part = rows if name is None else rows[rows[group] == name]
        colour, marker = looks.get(name, (blue(), "o"))
        error = [(part[value] - part[low]).to_numpy(float), (part[high] - part[value]).to_numpy(float)]
        look = dict(fmt=marker, color=colour, capsize=2, markersize=6, linewidth=1.5)
        axes.errorbar(part[value], part.index, xerr=error, label=name, **look)
    if ceiling and rows[ceiling].notna().any():
        axes.plot(rows[ceiling], rows.index, "|", color="0.35", markersize=12, label="noise ceiling")
    if zero:
        axes.axvline(0, color="0.5", linewidth=0.8, linestyle="--")
    axes.set(yticks=list(rows.index), yticklabels=rows[label], xlabel=xlabel)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    if group or ceiling:
        legend(axes)
    return fig


def cost_against_people(
    rows: pd.DataFrame, *, xlabel: str, seconds: bool, titles: Mapping[str, str], columns: int = 3
) -> Figure:
    """Scatter of log cost against the human measure, one panel per task, with a fitted line.

    Parameters
    ----------
    rows : DataFrame
        ``task, human, log_cost``, a row per item.
    xlabel : str
        Label of the human axis, with its unit.
    seconds : bool
        Whether `human` is ln seconds, so that its axis is labelled in seconds.
    titles : mapping of str to str
        Title of each task's panel; its order is the order of the panels.
    columns : int
        Panels per line.

    Returns
    -------
    Figure
    """
    import matplotlib.pyplot as plt
    import seaborn as sns

    lines = -(-len(titles) // columns)
    wide = min(columns, len(titles))
    with plt.rc_context(style()):
        fig, grid = plt.subplots(lines, wide, figsize=(2.9 * wide, 2.7 * lines), squeeze=False)
    for axes, (task, title) in zip(grid.flat, titles.items(), strict=False):
        part = rows[rows["task"] == task]
        points = dict(s=12, alpha=0.6, linewidths=0)
        sns.regplot(
            part, x="human", y="log_cost", ax=axes, ci=None, scatter_kws=points,
            line_kws=dict(color="0.2", linewidth=1.2), color=blue(),
        )  # fmt: skip
        axes.set(title=title, xlabel="", ylabel="")
        if seconds:
            seconds_axis(axes, part["human"].min(), part["human"].max(), most=4)
        tokens_axis(axes.yaxis, part["log_cost"].min(), part["log_cost"].max())
    for axes in list(grid.flat)[len(titles) :]:
        axes.set_visible(False)
    fig.supxlabel(xlabel, fontsize=10)
    fig.supylabel("reasoning tokens (log scale)", fontsize=10)
    fig.tight_layout()
    return fig


def cost_spread(
    rows: pd.DataFrame, roles: Mapping[str, str], order: Sequence[str], unit: str = "tokens"
) -> Figure:
    """Spread of log cost over items, by model, coloured by role.

    Parameters
    ----------
    rows : DataFrame
        ``model, log_cost``, a row per item.
    roles : mapping of str to str
        Role of each model, from `handan.lineage.roles_of`.
    order : sequence of str
        Models from top to bottom.
    unit : str
        What was counted, in the plural.

    Returns
    -------
    Figure
    """
    import seaborn as sns

    fig, axes = canvas(8, 0.34 * len(order) + 1.0)
    data = rows.assign(role=rows["model"].map(roles))
    colours = {role: colour for role, (colour, _) in role_looks().items()}
    present = [role for role in colours if role in set(data["role"])]
    sns.boxplot(
        data, x="log_cost", y="model", order=list(order), hue="role", hue_order=present,
        palette=colours, dodge=False, fliersize=1.5, linewidth=0.8, width=0.65, ax=axes,
    )  # fmt: skip
    tokens_axis(axes.xaxis, data["log_cost"].min(), data["log_cost"].max())
    axes.set(xlabel=f"cost of an item ({unit}, log scale)", ylabel="")
    legend(axes)
    return fig


def steps(table: pd.DataFrame, *, x: str, xlabel: str, group: str) -> Figure:
    """Mean log response time by a count of steps, a line per task, with 95 % intervals over items.

    Parameters
    ----------
    table : DataFrame
        ``log_rt`` (ln seconds), the columns `x` and `group`, a row per item.
    x : str
        Column with the number of steps.
    xlabel : str
        Label of that axis.
    group : str
        Column with the name of the line.

    Returns
    -------
    Figure
    """
    import seaborn as sns

    fig, axes = canvas(6.5, 3.6)
    sns.stripplot(table, x=x, y="log_rt", hue=group, dodge=True, size=3, alpha=0.35, legend=False, ax=axes,
                  palette="colorblind")  # fmt: skip
    sns.pointplot(table, x=x, y="log_rt", hue=group, markers=["o", "s"], linestyles=["-", "--"], capsize=0.08,
                  err_kws={"linewidth": 1.2}, palette="colorblind", ax=axes)  # fmt: skip
    log_ticks(axes.yaxis, within(SECONDS, table["log_rt"].min(), table["log_rt"].max(), 6))
    axes.set(xlabel=xlabel, ylabel="mean response time (s, log scale)")
    axes.legend(title="", frameon=False)
    return fig
