"""Pictures of traces and of what making them takes; see `handan.figures` for the rules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from handan.drawing import blue, canvas, legend, log_ticks, styles, tokens_axis

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


def bill(costs: pd.DataFrame, machines: Sequence[str]) -> Figure:
    """Hours that each model takes on each machine.

    Parameters
    ----------
    costs : DataFrame
        ``model, machine, hours``; rows without hours are left out.
    machines : sequence of str
        Order of the machines.

    Returns
    -------
    Figure
    """
    import numpy as np
    import seaborn as sns

    table = costs.dropna(subset=["hours"]).assign(log_hours=lambda frame: np.log(frame["hours"]))
    look = styles(list(machines))
    fig, axes = canvas(8, 0.32 * table["model"].nunique() + 1.0)
    sns.scatterplot(
        table, x="log_hours", y="model", hue="machine", style="machine", hue_order=machines, s=60, ax=axes,
        style_order=machines, palette={name: look[name][0] for name in machines},
        markers={name: look[name][1] for name in machines},
    )  # fmt: skip
    low, high = table["log_hours"].min(), table["log_hours"].max()
    powers = range(int(np.floor(low / np.log(10))), int(np.ceil(high / np.log(10))) + 1)
    log_ticks(axes.xaxis, [10.0**power for power in powers])
    axes.set(xlabel="hours of the machine (log scale)", ylabel="")
    axes.grid(axis="y", color="0.92")
    legend(axes)
    return fig


def counting_rules(table: pd.DataFrame, truth: float) -> Figure:
    """Correlation under ways of counting, with intervals, beside the right one.

    Parameters
    ----------
    table : DataFrame
        ``rule, r, r_low, r_high``, in the order to show.
    truth : float
        The correlation under the right count.

    Returns
    -------
    Figure
    """
    fig, axes = canvas(7, 0.4 * len(table) + 0.9)
    places = range(len(table))
    error = [(table["r"] - table["r_low"]).to_numpy(float), (table["r_high"] - table["r"]).to_numpy(float)]
    axes.axvline(truth, color="0.6", linewidth=1, linestyle="--")
    axes.errorbar(table["r"], places, xerr=error, fmt="o", color=blue(), capsize=3)
    axes.set_yticks(list(places), table["rule"])
    axes.invert_yaxis()
    axes.set(xlabel="correlation with human response time (r, 95 % interval)", ylabel="")
    return fig


def lengths(costs: pd.DataFrame, limit: float) -> Figure:
    """Length of traces with the limit they were cut at.

    Parameters
    ----------
    costs : DataFrame
        ``log_cost, censored`` per trace; ``log_cost`` is ln tokens.
    limit : float
        The limit, in tokens.

    Returns
    -------
    Figure
    """
    import numpy as np
    import seaborn as sns

    fig, axes = canvas(6, 3.0)
    named = costs.assign(ended=np.where(costs["censored"], "cut at the limit", "stopped by itself"))
    look = styles(["stopped by itself", "cut at the limit"])
    palette = {name: colour for name, (colour, _) in look.items()}
    sns.histplot(named, x="log_cost", hue="ended", palette=palette, multiple="stack", bins=30, ax=axes)
    sns.move_legend(axes, "upper left", bbox_to_anchor=(1.01, 1), title="", frameon=False)
    axes.axvline(np.log(limit), color="0.4", linewidth=1, linestyle="--")
    tokens_axis(axes.xaxis, named["log_cost"].min(), float(np.log(limit)))
    axes.set(xlabel="trace (tokens, log scale)", ylabel="traces")
    return fig
