"""Style, axes and ticks that the pictures of `handan.figures` share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from handan.lineage import NOT_PLACED, OTHER_SETTINGS
from handan.tables import ROLES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ROLE_MARKERS = {"teacher": "o", "student": "s", "reinforced-student": "D", "baseline": "^"}
# The nearer relation of a pair comes first, so that it keeps its colour from study to study.
RELATION_ORDER = ("own teacher", "other teacher", "true base", "instruct sibling")
SECONDS = (0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)


def role_colours() -> dict[str, Any]:
    """Colour of each role, the same in every picture."""
    import seaborn as sns

    return dict(zip(ROLES, (sns.color_palette("colorblind")[k] for k in (0, 1, 4, 2)), strict=True))


def role_looks() -> dict[str, tuple[Any, str]]:
    """Colour and marker of each role; models that stand in no comparison are grey, and crosses."""
    looks = {role: (colour, ROLE_MARKERS[role]) for role, colour in role_colours().items()}
    return looks | dict.fromkeys((OTHER_SETTINGS, NOT_PLACED), ("0.55", "X"))


def canvas(width: float, height: float) -> tuple[Figure, Axes]:
    """Make an empty figure of one panel; sizes in inches."""
    import matplotlib.pyplot as plt

    with plt.rc_context(style()):
        fig, axes = plt.subplots(figsize=(width, height), layout="constrained")
    return fig, axes


def style() -> Any:
    """Give the settings of matplotlib that every picture shares."""
    import seaborn as sns

    frame = {"axes.spines.right": False, "axes.spines.top": False}
    return {**sns.axes_style("ticks"), **sns.plotting_context("paper", font_scale=1.05), **frame}


def blue() -> Any:
    """Colour of everything that has no group."""
    return role_colours()["teacher"]


def styles(names: Sequence[str]) -> dict[str | None, tuple[Any, str]]:
    """Colour and marker of each group; roles and relations always look the same."""
    import seaborn as sns

    if set(names) <= set(looks := role_looks()):
        return {name: looks[name] for name in names}
    palette = sns.color_palette("colorblind")
    markers = "osD^vP*X"
    if set(names) <= set(RELATION_ORDER):
        near = {name: name in ("own teacher", "true base") for name in names}
        return {name: (palette[0], "o") if near[name] else (palette[1], "s") for name in names}
    return {name: (palette[k % len(palette)], markers[k % len(markers)]) for k, name in enumerate(names)}


def legend(axes: Axes) -> None:
    """Put the legend to the right of the panel, where it hides nothing."""
    axes.legend(title="", frameon=False, loc="upper left", bbox_to_anchor=(1.01, 1))


def seconds_axis(axes: Axes, low: float, high: float, most: int = 8) -> None:
    """Label an axis of ln seconds in seconds."""
    log_ticks(axes.xaxis, within(SECONDS, low, high, most))


def tokens_axis(axis: Any, low: float, high: float) -> None:
    """Label an axis of log tokens in tokens."""
    counts = [step * 10**power for power in range(7) for step in (1, 2, 5)]
    log_ticks(axis, within(counts, low, high, 5))


def within(values: Sequence[float], low: float, high: float, most: int) -> list[float]:
    """Pick round values whose logs lie in a range, at most so many."""
    import numpy as np

    inside = [value for value in values if low - 0.35 <= np.log(value) <= high + 0.35]
    step = -(-len(inside) // most)
    return inside[::step] if step > 1 else inside


def log_ticks(axis: Any, values: Sequence[float]) -> None:
    """Put ticks at the logs of these values and label them with the values."""
    import numpy as np

    axis.set_ticks([float(np.log(value)) for value in values])
    axis.set_ticklabels([f"{value:,g}" for value in values])
