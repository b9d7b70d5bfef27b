import pytest

from handan.explorer.figure import small_multiples


@pytest.fixture(scope="module")
def figure(found):
    import matplotlib.pyplot as plt

    made = small_multiples(found[:3])
    made.canvas.draw()
    yield made
    plt.close(made)


def panels(figure):
    return {axes.get_title(): axes for axes in figure.axes if axes.get_visible()}


def test_a_panel_per_study_and_task(figure, found):
    expected = [f"{one.study.name}\n{task}" for one in found[:3] for task in one.joined.rows["task"].unique()]
    assert list(panels(figure)) == expected


def test_points_and_lines_are_those_of_the_models_that_come_first(figure, found):
    math = panels(figure)["mip-math\nmath"]
    rows = found[1].joined.rows
    drawn = [collection.get_offsets().data for collection in math.collections]
    for points, model in zip(drawn, ("DeepSeek-R1", "DeepSeek-R1-Distill-Qwen-32B"), strict=True):
        expected = rows[rows["model"] == model][["human", "log_cost"]].to_numpy()
        assert points.tolist() == expected.tolist()
    assert len(panels(figure)["pnas-r1\nsyllogisms"].collections) == 1


def test_every_panel_has_ticks_and_says_what_it_measures(figure):
    for title, axes in panels(figure).items():
        low, high = axes.get_ylim()
        assert sum(low <= tick <= high for tick in axes.get_yticks()) >= 2, title
        assert axes.get_xlabel(), title


def test_the_legend_names_roles(figure):
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["teacher", "student"]
