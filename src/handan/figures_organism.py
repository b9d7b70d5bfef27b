"""Pictures of families of models over seeds; see `handan.figures` for the rules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from handan.drawing import ROLE_MARKERS, canvas, legend, role_colours, style, styles

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CURVES = {
    "r": "correlation with human response time (r)",
    "accuracy": "correct answers (share)",
    "tokens": "reasoning (tokens per sample)",
}


def conditions(table: pd.DataFrame, models: pd.DataFrame) -> Figure:
    """Alignment by condition with its interval, every seed as a dot, a panel per repertoire.

    Seeds whose r does not exist are crosses at 0, which is how they enter the mean.

    Parameters
    ----------
    table : DataFrame
        ``repertoire, condition, role, r_or_zero, zero_low, zero_high, ceiling``: rows of one
        group of tasks of ``conditions`` in `handan.findings.families.Families`.
    models : DataFrame
        ``repertoire, condition, r, r_or_zero``, a row per seed: the same group of ``models``.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        When a repertoire has two rows of one condition: choose one group of tasks.
    """
    if table.duplicated(["repertoire", "condition"]).any():
        raise ValueError(
            "a condition has several rows; choose one group of tasks, as in table.query('task == \"all\"')"
        )
    order = list(dict.fromkeys(table["condition"]))
    names = list(dict.fromkeys(table["repertoire"]))
    fig, panels = _panels(len(names), 3.6, 0.34 * len(order) + 1.2)
    for axes, name in zip(panels, names, strict=True):
        rows = table[table["repertoire"] == name].set_index("condition").reindex(order)
        _seeds(axes, models[models["repertoire"] == name], order)
        _means(axes, rows)
        axes.axvline(0, color="0.5", linewidth=0.8, linestyle="--")
        axes.set(title=f"repertoire: {name}", xlabel="", ylabel="")
    panels[0].set_yticks(range(len(order)), order)
    panels[0].set_ylim(len(order) - 0.5, -0.5)
    fig.supxlabel(f"{CURVES['r']}, 95 % interval over seeds and items", fontsize=10)
    _legend(panels)
    return fig


def learning(table: pd.DataFrame, *, y: str = "r") -> Figure:
    """Alignment against training step, a thin line per seed and a thick one for their mean.

    Parameters
    ----------
    table : DataFrame
        ``stage, condition, seed, step`` and the column `y`; with a column ``repertoire``
        each of them gets a panel. Stages of one condition follow each other in separate
        lines; leave out the stages that should not be seen. A missing `y` takes its seed out
        of the mean at that step.
    y : {"r", "accuracy", "tokens"}
        What to draw.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        When `y` is none of these.
    """
    import seaborn as sns

    if y not in CURVES:
        raise ValueError(f"y is {y!r}; it must be one of {', '.join(CURVES)}")
    curves = table.assign(
        curve=table["stage"].astype(str) + ": " + table["condition"].astype(str),
        repertoire=table.get("repertoire", ""),
    )
    order = list(dict.fromkeys(curves["curve"]))
    names = list(dict.fromkeys(curves["repertoire"]))
    fig, panels = _panels(len(names), 4.2, 3.6)
    look: dict[str, Any] = dict(x="step", y=y, hue="curve", hue_order=order, palette=_colours(order))
    look |= dict(style="curve", style_order=order)
    for axes, name in zip(panels, names, strict=True):
        part = curves[curves["repertoire"] == name]
        sns.lineplot(
            part, units="seed", estimator=None, linewidth=0.7, alpha=0.45, legend=False, ax=axes, **look
        )
        sns.lineplot(part, errorbar=None, linewidth=2.2, ax=axes, **look)
        axes.set(
            title=f"repertoire: {name}" if name else "", xlabel="training step (updates)", ylabel=CURVES[y]
        )
        axes.legend().remove()
    _legend(panels)
    return fig


def tokens_by_steps(table: pd.DataFrame, *, label: str, order: Sequence[str] | None = None) -> Figure:
    """Mean tokens by a count of steps in a problem, one line per condition.

    Parameters
    ----------
    table : DataFrame
        ``condition, steps, tokens``, a row per item or sample.
    label : str
        Axis label of ``steps``, for example ``carries in the problem``.
    order : sequence of str, optional
        Conditions in the order of the legend; others are left out.

    Returns
    -------
    Figure
    """
    import seaborn as sns

    names = list(dict.fromkeys(table["condition"])) if order is None else list(order)
    look = styles(names)
    fig, axes = canvas(6.5, 3.6)
    sns.lineplot(
        table[table["condition"].isin(names)], x="steps", y="tokens", hue="condition", hue_order=names,
        style="condition", style_order=names, palette={name: look[name][0] for name in names},
        markers={name: look[name][1] for name in names}, errorbar=None, ax=axes,
    )  # fmt: skip
    axes.set(xlabel=label, ylabel="mean length of a trace (tokens)")
    axes.set_xticks(sorted(table["steps"].unique()))
    axes.set_ylim(bottom=0)
    legend(axes)
    return fig


def _panels(n: int, width: float, height: float) -> tuple[Figure, list[Axes]]:
    import matplotlib.pyplot as plt

    with plt.rc_context(style()):
        fig, grid = plt.subplots(
            1,
            n,
            figsize=(width * n + 2.4, height),
            sharex=True,
            sharey=True,
            squeeze=False,
            layout="constrained",
        )
    return fig, list(grid.flat)


def _legend(panels: Sequence[Axes]) -> None:
    """Make one legend for all panels, of which each may lack something."""
    found = {
        label: handle
        for axes in panels
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    panels[-1].legend(
        list(found.values()), list(found), title="", frameon=False, loc="upper left", bbox_to_anchor=(1.01, 1)
    )


def _seeds(axes: Axes, models: pd.DataFrame, order: Sequence[str]) -> None:
    place = models["condition"].map({name: k for k, name in enumerate(order)}) + 0.22
    known = models["r"].notna()
    axes.plot(models.loc[known, "r_or_zero"], place[known], ".", color="0.55", markersize=4, label="a seed")
    if not known.all():
        axes.plot(
            models.loc[~known, "r_or_zero"],
            place[~known],
            "x",
            color="0.35",
            markersize=5,
            label="a seed without r",
        )


def _means(axes: Axes, rows: pd.DataFrame) -> None:
    colours = role_colours()
    positions = rows.reset_index(drop=True)
    for role in (name for name in ROLE_MARKERS if (rows["role"] == name).any()):
        part = positions[positions["role"] == role]
        middle, low, high = part[["r_or_zero", "zero_low", "zero_high"]].to_numpy(float).T
        look = dict(fmt=ROLE_MARKERS[role], color=colours[role], capsize=2, markersize=6)
        axes.errorbar(middle, part.index.to_numpy(), xerr=[middle - low, high - middle], label=role, **look)
    if rows["ceiling"].notna().any():
        axes.axvline(rows["ceiling"].max(), color="0.35", linewidth=1, linestyle=":", label="noise ceiling")


def _colours(names: Sequence[str]) -> list[Any]:
    return [colour for colour, _ in styles(names).values()]
