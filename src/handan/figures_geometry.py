"""Pictures of difficulty fingerprints; see `handan.figures` for the rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from handan.drawing import ROLE_MARKERS, canvas, role_colours

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Above this many models the values would not fit into their cells.
_MOST_VALUES = 12
_LONGEST_NAME = 40
_OTHERS = {"norms": ("0.0", "*"), "not in the lineage": ("0.5", "X")}


def heatmap(pairs: pd.DataFrame, models: pd.DataFrame) -> Figure:
    """Matrix of similarities in hierarchical order, every name with the marker of its role.

    Parameters
    ----------
    pairs : DataFrame
        ``a, b, r``: rows of one study of ``pairs`` in `handan.findings.geometry.Geometry`.
    models : DataFrame
        ``model, role, leaf``: the same study of ``models``; without a leaf a model is not drawn.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        When the rows are of several studies, or no model has a leaf.
    """
    import seaborn as sns

    placed = _placed(models, "leaf").sort_values("leaf")
    order = placed["model"].astype(str).tolist()
    both = _both_ways(pairs)
    square = both.pivot(index="a", columns="b", values="r").reindex(index=order, columns=order).astype(float)
    side = 0.27 * len(order) + 1.4
    fig, axes = canvas(side + 3.4, side)
    sns.heatmap(
        square, vmin=-1, vmax=1, cmap="vlag", square=True, linewidths=0.4, ax=axes,
        annot=len(order) <= _MOST_VALUES, fmt=".2f", annot_kws={"size": 7},
        cbar_kws={"label": "similarity of fingerprints (r)", "shrink": 0.7},
    )  # fmt: skip
    axes.set(xlabel="place in the order", ylabel="")
    numbers = range(1, len(order) + 1)
    axes.set_yticklabels(
        [f"{k}  {_verbatim(name)}" for k, name in zip(numbers, order, strict=True)], rotation=0
    )
    axes.set_xticklabels([str(k) for k in numbers], rotation=0)
    axes.tick_params(axis="both", length=0, labelsize=8)
    axes.tick_params(axis="y", pad=14)
    _mark_roles(axes, placed["role"].tolist())
    return fig


def similarity_map(models: pd.DataFrame) -> Figure:
    """Map of fingerprints: near means similar; ellipses show how far resampled items move a model.

    Parameters
    ----------
    models : DataFrame
        ``model, role, leaf, x, y, ellipse_width, ellipse_height, ellipse_angle``: rows of one
        study of ``models`` in `handan.findings.geometry.Geometry`. Each model has a number,
        its place in the hierarchical order, and the key gives the names.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        When the rows are of several studies, or no model has a place.
    """
    from matplotlib.patches import Ellipse

    placed = _placed(models, "x").sort_values("leaf")
    looks = _looks()
    fig, axes = canvas(9.2, max(4.6, 0.22 * len(placed) + 1.2))
    for number, row in enumerate(placed.to_dict("records"), start=1):
        colour, marker = looks[row["role"]]
        if row["ellipse_width"] == row["ellipse_width"]:
            size = dict(width=row["ellipse_width"], height=row["ellipse_height"], angle=row["ellipse_angle"])
            axes.add_patch(Ellipse((row["x"], row["y"]), **size, color=colour, alpha=0.08, linewidth=0))
        label = f"{number}  {_verbatim(row['model'])}"
        axes.plot(row["x"], row["y"], marker, color=colour, markersize=7, label=label)
        axes.annotate(str(number), (row["x"], row["y"]), (4, 4), textcoords="offset points", fontsize=8)
    axes.autoscale_view()
    axes.set_aspect("equal", adjustable="datalim")
    axes.set(xlabel="first dimension (distance √(2(1 − r)))", ylabel="second dimension")
    axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1.01, 1), fontsize=8, labelspacing=0.25)
    return fig


def _placed(models: pd.DataFrame, column: str) -> pd.DataFrame:
    studies = models["study"].unique().tolist() if "study" in models else []
    if len(studies) > 1:
        raise ValueError(f"the rows are of several studies ({', '.join(studies)}); choose one")
    placed = models[models[column].notna()]
    if placed.empty:
        raise ValueError("no model has a place: the study has too few models that can be compared")
    return placed


def _both_ways(pairs: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    names = {"a": "b", "b": "a"}
    return pd.concat([pairs[["a", "b", "r"]], pairs[["a", "b", "r"]].rename(columns=names)])


def _looks() -> dict[str, tuple[Any, str]]:
    colours = role_colours()
    return {role: (colours[role], marker) for role, marker in ROLE_MARKERS.items()} | _OTHERS


def _verbatim(name: str) -> str:
    """Shorten a name, and keep matplotlib from reading maths into it."""
    short = name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…"
    return short.replace("$", r"\$")


def _mark_roles(axes: Axes, roles: list[str]) -> None:
    looks = _looks()
    for role in [role for role in looks if role in roles]:
        rows = [k + 0.5 for k, one in enumerate(roles) if one == role]
        colour, marker = looks[role]
        # Between the names and the cells, where a tick would be.
        axes.plot([-0.35] * len(rows), rows, marker, color=colour, markersize=6, clip_on=False, label=role)
    axes.set_xlim(0, len(roles))
    n = sum(role in roles for role in looks)
    axes.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=min(n, 3), fontsize=8)
