"""The explorer on paper: one small scatter plot per study and task."""

from __future__ import annotations

from collections.abc import Sequence
from math import log
from typing import TYPE_CHECKING, Any

from handan.drawing import log_ticks, role_looks, seconds_axis, style, tokens_axis, within
from handan.explorer.evidence import Evidence

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLUMNS = 4
_FINE = (1, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8)
_NARROW = log(8)  # a range in which 1, 2, 5, 10 would leave one or two ticks


def small_multiples(found: Sequence[Evidence]) -> Figure:
    """Draw cost against the human measure, with the models that the explorer starts with.

    Parameters
    ----------
    found : sequence of Evidence
        Studies from left to right, then from top to bottom.

    Returns
    -------
    Figure
    """
    import matplotlib.pyplot as plt

    panels = [(one, str(task)) for one in found for task in one.joined.rows["task"].unique()]
    wide = min(_COLUMNS, len(panels))
    lines = -(-len(panels) // wide)
    with plt.rc_context(style()):
        size = (1.8 * wide, 1.85 * lines + 0.4)
        fig, grid = plt.subplots(lines, wide, figsize=size, squeeze=False, layout="constrained")
    for axes, (one, task) in zip(grid.flat, panels, strict=False):
        _panel(axes, one, task)
    for axes in list(grid.flat)[len(panels) :]:
        axes.set_visible(False)
    fig.supylabel("what was counted (log scale)", fontsize=10)
    _legend(fig, grid)
    return fig


def _panel(axes: Axes, one: Evidence, task: str) -> None:
    import seaborn as sns

    rows = one.joined.rows[one.joined.rows["task"] == task]
    roles = one.aligned.drop_duplicates("model").set_index("model")["role"]
    for model in filter(None, (one.first, one.second)):
        part = rows[rows["model"] == model]
        if part["human"].nunique() < 2:  # no line can be drawn
            continue
        colour, marker = role_looks()[roles[model]]
        sns.regplot(
            part, x="human", y="log_cost", ax=axes, ci=None, color=colour, marker=marker, label=roles[model],
            scatter_kws=dict(s=5, alpha=0.6, linewidths=0), line_kws=dict(linewidth=1.4),
        )  # fmt: skip
    axes.set_title(f"{one.study.name}\n{task}", fontsize=7)
    axes.set_xlabel(_people(one), fontsize=7)
    axes.set_ylabel("")
    _ticks(axes, one, rows[rows["model"].isin([one.first, one.second])])


def _people(one: Evidence) -> str:
    if one.study.is_timed:
        return f"{one.study.measure} (s)"
    return one.study.measure.replace(", or ", ",\nor ")


def _ticks(axes: Axes, one: Evidence, rows: pd.DataFrame) -> None:
    if rows.empty:
        return
    if one.study.is_timed:
        seconds_axis(axes, rows["human"].min(), rows["human"].max(), most=3)
    low, high = rows["log_cost"].min(), rows["log_cost"].max()
    if high - low > _NARROW:
        tokens_axis(axes.yaxis, low, high)
    else:
        log_ticks(
            axes.yaxis, within([step * 10**power for power in range(6) for step in _FINE], low, high, 5)
        )
    axes.tick_params(labelsize=7)


def _legend(fig: Figure, grid: Any) -> None:
    known: dict[str, Any] = {}
    for axes in grid.flat:
        known |= {label: handle for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)}
    fig.legend(
        known.values(),
        known.keys(),
        loc="outside upper center",
        ncols=len(known) or 1,
        frameon=False,
        markerscale=2,
    )
