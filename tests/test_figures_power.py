import matplotlib as mpl
import matplotlib.pyplot as plt
import pandas as pd
import pytest

from handan import figures_power

mpl.use("Agg")

TABLE = pd.DataFrame(
    {
        "r_ab": [0.2, 0.2, 0.2, 0.6, 0.6, 0.6, 0.6],
        "n_items": [20, 100, 500, 20, 100, 500, 100],
        "method": ["formula"] * 6 + ["simulation"],
        "power": [0.2, 0.7, 1.0, 0.4, 0.9, 1.0, 0.88],
        "supported": [0.1, 0.7, 1.0, 0.3, 0.9, 1.0, 0.87],
        "low": [float("nan")] * 6 + [0.85],
        "high": [float("nan")] * 6 + [0.9],
    }
)
STUDIES = pd.DataFrame({"study": ["near", "far"], "n_items": [46, 90_000]})


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def labelled(axes):
    return {line.get_label(): line for line in axes.lines if line.get_label().startswith("r between")}


def test_a_line_per_correlation_between_models():
    axes = figures_power.power_curves(TABLE).axes[0]
    lines = labelled(axes)
    assert list(lines) == ["r between models 0.2", "r between models 0.6"]
    assert lines["r between models 0.2"].get_xydata().tolist() == [[20, 0.2], [100, 0.7], [500, 1.0]]
    first, second = lines.values()
    assert first.get_color() != second.get_color()
    assert first.is_dashed() != second.is_dashed()
    assert axes.get_xscale() == "log"
    assert [text.get_text() for text in axes.get_legend().get_texts()] == list(lines)


def test_simulated_studies_are_markers_with_their_interval():
    axes = figures_power.power_curves(TABLE).axes[0]
    (points,) = [line for line in axes.lines if line.get_marker() != "None"]
    assert points.get_xydata().tolist() == [[100, 0.88]]
    assert points.get_color() == labelled(axes)["r between models 0.6"].get_color()
    (interval,) = axes.collections
    assert interval.get_segments()[0].tolist() == [[100, 0.85], [100, 0.9]]


def test_another_outcome_has_no_interval():
    fig = figures_power.power_curves(TABLE, outcome="supported", ylabel="supported", target=0.9)
    axes = fig.axes[0]
    assert not axes.collections
    assert axes.get_ylabel() == "supported"
    assert labelled(axes)["r between models 0.6"].get_ydata().tolist() == [0.3, 0.9, 1.0]
    assert any(list(line.get_ydata()) == [0.9, 0.9] for line in axes.lines)


def test_recorded_studies_are_marked_where_the_panel_reaches():
    axes = figures_power.power_curves(TABLE, studies=STUDIES).axes[0]
    assert [text.get_text() for text in axes.texts] == ["near"]
    assert any(set(line.get_xdata()) == {46} for line in axes.lines)
    close = pd.DataFrame({"study": ["b", "c", "a"], "n_items": [52, 136, 46]})
    texts = figures_power.power_curves(TABLE, studies=close).axes[0].texts
    assert {text.get_text(): text.get_ha() for text in texts} == {"a": "right", "b": "left", "c": "left"}
    bare = figures_power.power_curves(TABLE).axes[0]
    assert not bare.texts


def test_a_row_without_a_value_is_left_out():
    table = TABLE.assign(power=TABLE["power"].mask(TABLE["n_items"] == 20))
    lines = labelled(figures_power.power_curves(table).axes[0])
    assert lines["r between models 0.2"].get_xdata().tolist() == [100, 500]


def test_rejections_are_a_line_per_test_beside_the_level():
    table = pd.DataFrame(
        {"test": ["a", "b"] * 2, "rejected": [0.05, 0.04, 0.8, 0.7], "drop": [0, 0, 0.3, 0.3]}
    )
    axes = figures_power.rejections(table, x="drop", xlabel="difference", level=0.05).axes[0]
    assert axes.get_xlabel() == "difference"
    assert axes.get_ylim()[0] == 0
    drawn = [list(line.get_ydata()) for line in axes.lines if len(line.get_xdata()) == 2]
    assert [0.05, 0.8] in drawn
    assert [0.04, 0.7] in drawn
    assert any(set(data) == {0.05} for data in drawn)
