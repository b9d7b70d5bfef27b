import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from handan import figures_multiverse

mpl.use("Agg")


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


CURVE = pd.DataFrame(
    {
        "place": [1, 2, 3, 4],
        "difference": [-0.3, -0.1, 0.1, 0.3],
        "low": [-0.4, -0.2, -0.1, 0.2],
        "high": [-0.2, 0.1, 0.3, 0.4],
        "interval": ["below 0", "includes 0", "includes 0", "above 0"],
        "scale": ["log", "raw", "log", "raw"],
        "cost": ["n_chars", "n_chars", "reasoning_tokens", "reasoning_tokens"],
        "answers": "all",
    }
)
CHANGES = pd.DataFrame(
    {
        "choice": ["reference", "scale", "loops", "correlation"],
        "level": ["as in the chapters", "raw cost", "left out", "Spearman"],
        "difference": [0.2, 0.1, np.nan, 0.3],
        "low": [0.1, 0.0, np.nan, 0.2],
        "high": [0.3, 0.2, np.nan, 0.4],
    }
)
SUMMARY = pd.DataFrame(
    {
        "study": ["a", "b", "c"],
        "claim": ["collapse", "collapse", "transfer"],
        "n_run": [10, 0, 20],
        "supported": [0.5, np.nan, 0.1],
        "not_supported": [0.2, np.nan, 0.0],
        "cannot_tell": [0.3, np.nan, 0.9],
    }
)


def test_the_curve_shows_every_estimate_above_its_choices():
    fig = figures_multiverse.curve(CURVE, ["cost", "scale", "answers"], ylabel="r a − r b")
    top, below = fig.axes
    drawn = {line.get_label(): line.get_xydata().tolist() for line in top.lines if len(line.get_xdata())}
    assert drawn["below 0"] == [[1, -0.3]]
    assert drawn["includes 0"] == [[2, -0.1], [3, 0.1]]
    assert drawn["above 0"] == [[4, 0.3]]
    bars = top.collections[0].get_segments()
    assert [segment[:, 1].tolist() for segment in bars] == CURVE[["low", "high"]].to_numpy().tolist()
    assert top.get_ylabel() == "r a − r b"
    names = [tick.get_text() for tick in below.get_yticklabels()]
    # A choice with one level decides nothing and has no row.
    assert names == ["cost: n chars", "cost: reasoning tokens", "scale: log", "scale: raw"]
    marks = [collection.get_offsets().tolist() for collection in below.collections]
    assert marks == [[[1, 0], [2, 0]], [[3, 1], [4, 1]], [[1, 2], [3, 2]], [[2, 3], [4, 3]]]
    assert below.get_ylim()[0] > below.get_ylim()[1]


def test_intervals_differ_in_colour_and_marker():
    top, below = figures_multiverse.curve(CURVE, ["scale"], ylabel="r").axes
    looks = {
        line.get_label(): (line.get_marker(), line.get_color())
        for line in top.lines
        if line.get_label()[0] != "_"
    }
    assert len(set(looks.values())) == len({marker for marker, _ in looks.values()}) == 3
    first = below.collections[0].get_edgecolors()
    assert first[0][:3] == pytest.approx(looks["below 0"][1])


def test_a_curve_without_choices_is_drawn_all_the_same():
    fig = figures_multiverse.curve(CURVE.iloc[:1], ["cost", "scale"], ylabel="r")
    assert fig.axes[1].get_yticklabels() == []


def test_departures_stand_below_the_reference():
    axes = figures_multiverse.departures(CHANGES, xlabel="r").axes[0]
    names = [tick.get_text() for tick in axes.get_yticklabels()]
    assert names == ["reference: as in the chapters", "scale: raw cost", "correlation: Spearman"]
    points = [line.get_xydata().tolist() for line in axes.lines if line.get_marker() in ("D", "o")]
    assert points == [[[0.2, 0]], [[0.1, 1]], [[0.3, 2]]]
    assert axes.get_ylim()[0] > axes.get_ylim()[1]
    assert axes.get_xlabel() == "r"


def test_verdicts_are_stacked_to_one():
    axes = figures_multiverse.verdicts(SUMMARY).axes[0]
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["a, collapse (10)", "c, transfer (20)"]
    bars = {
        container.get_label(): [(bar.get_x(), bar.get_width()) for bar in container]
        for container in axes.containers
    }
    assert list(bars) == ["supported", "not supported", "cannot tell"]
    assert bars["cannot tell"] == [pytest.approx((0.7, 0.3)), pytest.approx((0.1, 0.9))]
