import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
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
