import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from handan import figures
from handan.lineage import NOT_PLACED, OTHER_SETTINGS
from handan.norms import load_bank

mpl.use("Agg")


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def labels(fig):
    axes = fig.axes[0]
    return axes.get_xlabel(), [tick.get_text() for tick in axes.get_yticklabels()]


TABLE = pd.DataFrame(
    {
        "label": ["one", "two", "three"],
        "value": [0.1, 0.4, np.nan],
        "low": [0.0, 0.2, np.nan],
        "high": [0.3, 0.7, np.nan],
        "group": ["teacher", "student", "baseline"],
        "ceiling": [0.9, np.nan, 0.8],
    }
)


def test_response_times_are_sorted_and_in_seconds():
    fig = figures.response_times(load_bank(["arc", "digit-addition"]))
    xlabel, tasks = labels(fig)
    assert tasks == ["digit-addition", "arc"]
    assert "(s, log scale)" in xlabel
    ticks = [float(tick.get_text().replace(",", "")) for tick in fig.axes[0].get_xticklabels()]
    assert ticks == sorted(ticks)
    positions = fig.axes[0].get_xticks()
    assert np.exp(positions) == pytest.approx(ticks)


def test_intervals_keep_the_tables_order_and_their_values():
    fig = figures.intervals(
        TABLE,
        value="value",
        low="low",
        high="high",
        label="label",
        xlabel="r",
        group="group",
        ceiling="ceiling",
    )
    xlabel, names = labels(fig)
    assert (xlabel, names) == ("r", ["one", "two", "three"])
    points = [container.lines[0].get_xydata().tolist() for container in fig.axes[0].containers]
    assert points[0] == [[0.1, 0]]
    assert points[1] == [[0.4, 1]]
    bottom, top = fig.axes[0].get_ylim()
    assert bottom > top  # the first row stands on top


def test_roles_and_relations_keep_their_colour_and_marker():
    def look(table, group):
        fig = figures.intervals(
            table, value="value", low="low", high="high", label="label", xlabel="r", group=group
        )
        lines = {c.get_label(): c.lines[0] for c in fig.axes[0].containers}
        return {name: (line.get_color(), line.get_marker()) for name, line in lines.items()}

    assert look(TABLE, "group")["student"] == look(TABLE[1:], "group")["student"]
    assert len(set(look(TABLE, "group").values())) == 3
    near = TABLE.assign(group=["own teacher", "other teacher", "own teacher"])
    far = TABLE.assign(group=["other teacher", "own teacher", "own teacher"])
    assert look(near, "group") == {name: look(far, "group")[name] for name in look(near, "group")}


def test_the_scatter_shows_every_item_of_every_task():
    rng = np.random.default_rng(0)
    rows = pd.DataFrame(
        {"task": ["a"] * 5 + ["b"] * 7, "human": rng.normal(1, 1, 12), "log_cost": rng.normal(6, 1, 12)}
    )
    fig = figures.cost_against_people(rows, xlabel="time (s)", seconds=True, titles={"b": "B", "a": "A"})
    shown = {
        axes.get_title(): len(axes.collections[0].get_offsets()) for axes in fig.axes if axes.get_visible()
    }
    assert shown == {"B": 7, "A": 5}


def test_cost_spread_labels_tokens():
    rows = pd.DataFrame(
        {"model": ["a"] * 4 + ["b"] * 4, "log_cost": np.log([10, 20, 30, 40, 100, 200, 300, 400])}
    )
    fig = figures.cost_spread(rows, {"a": "baseline", "b": "teacher"}, ["b", "a"])
    xlabel, models = labels(fig)
    assert xlabel == "cost of an item (tokens, log scale)"
    assert models == ["b", "a"]
    fig = figures.cost_spread(rows, {"a": "baseline", "b": "teacher"}, ["b", "a"], unit="words")
    assert labels(fig)[0] == "cost of an item (words, log scale)"


def test_models_outside_the_comparisons_are_drawn_and_look_like_no_role():
    roles = {"a": "baseline", "b": "teacher", "b@short": OTHER_SETTINGS, "c": NOT_PLACED}
    rows = pd.DataFrame({"model": [name for name in roles for _ in range(4)], "log_cost": [1, 2, 3, 4] * 4})
    axes = figures.cost_spread(rows, roles, list(roles)).axes[0]
    shown = [text.get_text() for text in axes.get_legend().get_texts()]
    assert shown == ["teacher", "baseline", OTHER_SETTINGS, NOT_PLACED]
    assert len({patch.get_facecolor() for patch in axes.patches if len(patch.get_path()) > 4}) == 3
    table = TABLE.assign(group=["teacher", OTHER_SETTINGS, "baseline"])
    look = dict(value="value", low="low", high="high", label="label", xlabel="r", group="group")
    lines = {c.get_label(): c.lines[0] for c in figures.intervals(table, **look).axes[0].containers}
    assert lines[OTHER_SETTINGS].get_marker() == "X"
    plain = {c.get_label(): c.lines[0] for c in figures.intervals(TABLE, **look).axes[0].containers}
    for role in ("teacher", "baseline"):
        assert lines[role].get_color() == plain[role].get_color()


def test_steps_have_units():
    table = pd.DataFrame({"steps": [0, 1, 2] * 4, "log_rt": np.linspace(0, 2, 12), "task": ["x", "y"] * 6})
    fig = figures.steps(table, x="steps", xlabel="carries", group="task")
    assert fig.axes[0].get_ylabel() == "mean response time (s, log scale)"
