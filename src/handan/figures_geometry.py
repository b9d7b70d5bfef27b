"""Pictures of difficulty fingerprints; see `handan.figures` for the rules."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from handan.drawing import canvas, role_looks

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Above this many models the values would not fit into their cells.
_MOST_VALUES = 12
_LONGEST_NAME = 40
_NORMS = {"norms": ("0.0", "*")}
# All in points. Numbers stand so far from their markers, the nearest place that is free.
_REACHES = (12.0, 18.0, 26.0, 34.0, 44.0, 55.0)
_DIRECTIONS = 16
_MARKER = 8.0
_DIGIT = (5.4, 8.4)  # width and height of a digit in the size of the numbers


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


def map_numbers(models: pd.DataFrame) -> pd.Series:
    """Give every model the number that it has on the map.

    Parameters
    ----------
    models : DataFrame
        ``leaf, x``: rows of one study of ``models`` in `handan.findings.geometry.Geometry`.

    Returns
    -------
    Series of Int64
        The place in the hierarchical order among the models on the map, missing for the others.
    """
    return models["leaf"].where(models["x"].notna()).rank(method="first").astype("Int64")


def similarity_map(models: pd.DataFrame) -> Figure:
    """Map of fingerprints: near means similar; ellipses show how far resampled items move a model.

    Parameters
    ----------
    models : DataFrame
        ``model, role, leaf, x, y, ellipse_width, ellipse_height, ellipse_angle``: rows of one
        study of ``models`` in `handan.findings.geometry.Geometry`. Each model has a number
        (`map_numbers`), and the key gives the names. Where markers crowd, a line leads from a
        marker to its number; a number that finds no place stands in the key alone.

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
    axes.autoscale_view()
    axes.set_aspect("equal", adjustable="datalim")
    axes.set(xlabel="first dimension (distance √(2(1 − r)))", ylabel="second dimension")
    axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1.01, 1), fontsize=8, labelspacing=0.25)
    _number(fig, axes, placed[["x", "y"]].to_numpy(float))
    return fig


def free_places(points: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Find places for labels beside their markers, so that none covers another label or a marker.

    Parameters
    ----------
    points : ndarray of shape (n, 2)
        Where the markers stand, in typographic points.
    sizes : ndarray of shape (n, 2)
        Width and height of the labels, in points.

    Returns
    -------
    ndarray of shape (n, 2)
        From the marker to the middle of its label, in points; NaN where there was no place. The
        same points always give the same places.
    """
    import numpy as np

    middles, halves = points.copy(), np.full_like(points, _MARKER / 2)
    found = np.full_like(points, np.nan)
    # Who stands at the edge of a crowd goes first: there is room on the outer side.
    outer = [-np.hypot(*_away(point, points)) for point in points]
    for k in np.argsort(outer, kind="stable"):
        point, size = points[k], sizes[k]
        for offset in _offsets(point, points):
            # What a line to the label would cross counts as well, markers excepted.
            line = point + offset * np.linspace(0.3, 0.9, 8)[:, None]
            labels = slice(len(points), None)
            if _hit(point + offset, size / 2, middles, halves) or any(
                _hit(dot, np.zeros(2), middles[labels], halves[labels]) for dot in line
            ):
                continue
            found[k] = offset
            middles = np.vstack([middles, point + offset, line])
            halves = np.vstack([halves, size / 2, np.zeros_like(line)])
            break
    return found


def _offsets(point: np.ndarray, points: np.ndarray) -> Iterator[np.ndarray]:
    """Yield places around a point, near ones first, and first those away from its neighbours."""
    import numpy as np

    away = _away(point, points)
    start = np.arctan2(away[1], away[0]) if away.any() else np.pi / 4
    turns = sorted(range(_DIRECTIONS), key=lambda k: (min(k, _DIRECTIONS - k), k))
    for reach in _REACHES:
        for k in turns:
            angle = start + 2 * np.pi * k / _DIRECTIONS
            yield reach * np.array([np.cos(angle), np.sin(angle)])


def _away(point: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Where it goes away from the neighbours of a point; the longer, the more they stand on one side."""
    import numpy as np

    apart = point - points
    return np.asarray(apart[np.hypot(*apart.T) < _REACHES[-1]].sum(axis=0))


def _hit(middle: np.ndarray, half: np.ndarray, middles: np.ndarray, halves: np.ndarray) -> bool:
    """Whether a box overlaps any of these boxes."""
    return bool((abs(middles - middle) < halves + half).all(axis=1).any())


def _number(fig: Figure, axes: Axes, places: np.ndarray) -> None:
    """Write their numbers beside the markers."""
    import numpy as np

    fig.draw_without_rendering()  # only now is it known how large the panel is
    points = axes.transData.transform(places) * 72 / fig.dpi
    numbers = [str(k) for k in range(1, len(places) + 1)]
    sizes = np.array([(_DIGIT[0] * len(number), _DIGIT[1]) for number in numbers])
    for number, place, offset in zip(numbers, places, free_places(points, sizes), strict=True):
        if np.isnan(offset).any():
            continue
        far = np.hypot(*offset) > sum(_REACHES[:2]) / 2
        line = dict(arrowstyle="-", color="0.35", linewidth=0.6, shrinkA=1, shrinkB=0) if far else None
        axes.annotate(
            number, place, offset, textcoords="offset points", ha="center", va="center", fontsize=8,
            arrowprops=line,
        )  # fmt: skip


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
    return role_looks() | _NORMS


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
