import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.patches import Ellipse

from handan import figures_geometry
from handan.drawing import role_colours

mpl.use("Agg")


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


MODELS = pd.DataFrame(
    dict(
        study="s", model=["t", "s", "b$x$", "people", "flat"],
        role=["teacher", "student", "baseline", "norms", "not in the lineage"],
        leaf=[1.0, 0.0, 3.0, 2.0, np.nan], x=[0.2, 0.4, -0.6, 0.0, np.nan], y=[0.1, -0.1, 0.3, -0.3, np.nan],
        ellipse_width=[0.2, 0.3, np.nan, 0.1, np.nan], ellipse_height=[0.1, 0.1, np.nan, 0.1, np.nan],
        ellipse_angle=[10.0, 20.0, np.nan, 0.0, np.nan],
    )
)  # fmt: skip
NAMES = MODELS["model"].tolist()
PAIRS = pd.DataFrame(
    [
        dict(a=NAMES[i], b=NAMES[j], r=np.nan if j == 4 else 0.1 * (i + 1) + 0.01 * j)
        for i in range(5)
        for j in range(i + 1, 5)
    ]
)


def texts(labels):
    return [label.get_text() for label in labels]


def test_the_heatmap_stands_in_the_order_of_the_tree():
    axes = figures_geometry.heatmap(PAIRS, MODELS).axes[0]
    assert texts(axes.get_yticklabels()) == ["1  s", "2  t", "3  people", r"4  b\$x\$"]
    assert texts(axes.get_xticklabels()) == ["1", "2", "3", "4"]
    cells = axes.collections[0].get_array().reshape(4, 4)
    assert cells[0, 1] == cells[1, 0] == pytest.approx(0.11)
    assert cells[2, 3] == cells[3, 2] == pytest.approx(0.33)
    assert np.ma.getmaskarray(cells).diagonal().all()
    assert axes.collections[0].get_clim() == (-1, 1)
    assert "0.11" in texts(axes.texts)


def test_every_row_of_the_heatmap_has_the_marker_of_its_role():
    axes = figures_geometry.heatmap(PAIRS, MODELS).axes[0]
    shown = {line.get_label(): line for line in axes.lines}
    assert (
        set(shown) == {"teacher", "student", "baseline", "norms"} == set(texts(axes.get_legend().get_texts()))
    )
    assert list(shown["teacher"].get_ydata()) == [1.5]
    assert shown["teacher"].get_color() == role_colours()["teacher"]
    assert len({line.get_marker() for line in shown.values()}) == 4


def test_many_models_have_no_numbers_in_their_cells_and_long_names_are_cut():
    names = [f"m{k}" + "x" * 60 * (k == 0) for k in range(15)]
    models = pd.DataFrame(dict(model=names, role="student", leaf=range(15)))
    pairs = pd.DataFrame([dict(a=a, b=b, r=0.5) for k, a in enumerate(names) for b in names[k + 1 :]])
    axes = figures_geometry.heatmap(pairs, models).axes[0]
    assert texts(axes.texts) == []
    assert texts(axes.get_yticklabels())[0].endswith("…")
    assert len(texts(axes.get_yticklabels())[0]) < 50


def test_the_map_has_a_number_a_name_and_an_ellipse_for_every_model():
    axes = figures_geometry.similarity_map(MODELS).axes[0]
    assert texts(axes.texts) == ["1", "2", "3", "4"]
    assert texts(axes.get_legend().get_texts()) == ["1  s", "2  t", "3  people", r"4  b\$x\$"]
    assert [line.get_xydata().tolist() for line in axes.lines][:2] == [[[0.4, -0.1]], [[0.2, 0.1]]]
    around = [patch for patch in axes.patches if isinstance(patch, Ellipse)]
    assert [(one.center, one.width, one.angle) for one in around] == [
        ((0.4, -0.1), 0.3, 20.0),
        ((0.2, 0.1), 0.2, 10.0),
        ((0.0, -0.3), 0.1, 0.0),
    ]
    low, high = axes.get_xlim()
    assert low < -0.6
    assert high > 0.4
    assert axes.get_aspect() == 1


def test_the_numbers_of_a_crowd_stand_apart_and_lines_lead_to_them():
    n = 12
    angle = np.linspace(0, 2 * np.pi, n, endpoint=False)
    crowd = pd.DataFrame(
        dict(
            model=[f"m{k}" for k in range(n)], role="student", leaf=range(n), x=0.01 * np.cos(angle),
            y=0.01 * np.sin(angle), ellipse_width=1.0, ellipse_height=1.0, ellipse_angle=0.0,
        )
    )  # fmt: skip
    fig = figures_geometry.similarity_map(crowd)
    axes = fig.axes[0]
    fig.canvas.draw()
    assert texts(axes.texts) == [str(k + 1) for k in range(n)]
    assert any(text.arrow_patch is not None for text in axes.texts)
    boxes = [axes.transData.inverted().transform_bbox(mpl.text.Text.get_window_extent(t)) for t in axes.texts]
    assert not any(a.overlaps(b) for k, a in enumerate(boxes) for b in boxes[k + 1 :])
    assert not any(box.contains(*place) for box in boxes for place in crowd[["x", "y"]].to_numpy())


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 120), st.integers(0, 120)), min_size=1, max_size=25))
def test_no_label_covers_another_or_a_marker_wherever_the_markers_are(markers):
    points = np.array(markers, dtype=float)
    sizes = np.array([(5.0 * len(str(k)), 7.0) for k in range(len(points))])
    offsets = figures_geometry.free_places(points, sizes)
    assert np.array_equal(offsets, figures_geometry.free_places(points, sizes), equal_nan=True)
    placed = ~np.isnan(offsets).any(axis=1)
    middles, halves = (points + offsets)[placed], sizes[placed] / 2
    for k, (middle, half) in enumerate(zip(middles, halves, strict=True)):
        others = np.arange(len(middles)) != k
        for boxes, sides in ((middles[others], halves[others]), (points, np.full_like(points, 4.0))):
            assert not (abs(boxes - middle) < half + sides - 1e-9).all(axis=1).any()


def test_a_lonely_label_is_near_and_a_hopeless_one_is_left_out():
    alone = figures_geometry.free_places(np.zeros((1, 2)), np.array([[5.0, 7.0]]))
    assert np.hypot(*alone[0]) < 15
    huge = figures_geometry.free_places(np.zeros((1, 2)), np.array([[500.0, 500.0]]))
    assert np.isnan(huge).all()


def test_the_number_on_the_map_is_the_one_of_the_table():
    assert figures_geometry.map_numbers(MODELS).tolist()[:4] == [2, 1, 4, 3]
    assert figures_geometry.map_numbers(MODELS).isna().tolist() == [False] * 4 + [True]
    key = texts(figures_geometry.similarity_map(MODELS).axes[0].get_legend().get_texts())
    assert key[1].split() == [str(figures_geometry.map_numbers(MODELS).iloc[0]), MODELS["model"].iloc[0]]


def test_names_are_drawn_as_they_are():
    figures_geometry.similarity_map(MODELS).canvas.draw()
    figures_geometry.heatmap(PAIRS, MODELS).canvas.draw()


@pytest.mark.parametrize(
    "draw", [lambda m: figures_geometry.heatmap(PAIRS, m), figures_geometry.similarity_map]
)
def test_one_study_at_a_time_and_somebody_to_draw(draw):
    with pytest.raises(ValueError, match="several studies"):
        draw(pd.concat([MODELS, MODELS.assign(study="other")]))
    with pytest.raises(ValueError, match="too few models"):
        draw(MODELS.assign(leaf=np.nan, x=np.nan))
