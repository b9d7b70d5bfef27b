import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from handan import figures_effort

mpl.use("Agg")


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


EFFORTS = pd.DataFrame(
    [
        dict(study="s", task="t", teacher="big", model=model, part=part, effort=level * (1 + k / 10))
        for model, part, level in (
            ("old", "baseline", 0.2),
            ("big", "teacher", 1.0),
            ("small", "student", 0.5),
        )
        for k in range(10)
    ]
)
FITS = {"through_origin": "through the origin", "geometric": "mean ratio (geometric)"}
PAIRS = pd.DataFrame(
    dict(label=["a", "b"], through_origin=[2.0, 3.0], through_origin_low=[1.5, np.nan], through_origin_high=[2.5, np.nan],
         geometric=[1.0, -1.0], geometric_low=[0.8, -2.0], geometric_high=[1.3, 1.0])
)  # fmt: skip
CHANGES = pd.DataFrame(
    dict(label=["a", "b", "c"], relation=["own teacher", "true base", "any baseline"], change=[1.0, 1.2, 0.9],
         change_low=[0.95, 1.1, np.nan], change_high=[1.05, 1.3, np.nan])
)  # fmt: skip


def labels(axes):
    return [text.get_text() for text in axes.get_legend().get_texts()]


def points(axes):
    return {c.get_label(): c.lines[0].get_xydata().tolist() for c in axes.containers}


def test_efforts_go_from_the_teacher_to_the_baseline_on_a_log_scale():
    axes = figures_effort.efforts(EFFORTS).axes[0]
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["big", "small", "old"]
    assert labels(axes) == ["teacher", "student", "baseline"]
    ticks = dict(zip((t.get_text() for t in axes.get_xticklabels()), axes.get_xticks(), strict=True))
    assert ticks["1"] == 0
    assert ticks["0.5"] == pytest.approx(np.log(0.5))
    assert "teacher's mean cost" in axes.get_xlabel()


def test_zeros_are_left_out_and_nothing_at_all_is_an_error():
    some = pd.concat([EFFORTS, EFFORTS[:1].assign(effort=0.0)])
    figures_effort.efforts(some)
    with pytest.raises(ValueError, match="above zero"):
        figures_effort.efforts(EFFORTS.assign(effort=0.0))
    with pytest.raises(ValueError, match="several teachers"):
        figures_effort.efforts(pd.concat([EFFORTS, EFFORTS.assign(teacher="other")]))


def test_every_fit_of_a_pair_stands_in_its_row():
    axes = figures_effort.multipliers(PAIRS, FITS).axes[0]
    assert points(axes) == {
        "through the origin": [[2.0, pytest.approx(-0.11)], [3.0, pytest.approx(0.89)]],
        "mean ratio (geometric)": [[1.0, pytest.approx(0.11)]],
    }
    assert labels(axes) == list(FITS.values())
    assert (axes.get_xscale(), axes.get_ylim()[0] > axes.get_ylim()[1]) == ("log", True)
    assert "1" in [tick.get_text() for tick in axes.get_xticklabels()]


def test_the_paper_s_multiplier_is_a_dotted_line_that_is_always_in_view():
    for published in (2.44, 30.0):
        axes = figures_effort.multipliers(PAIRS, FITS, published=published).axes[0]
        assert labels(axes) == [f"the paper's {published:g}", *FITS.values()]
        line = next(line for line in axes.lines if line.get_label().startswith("the paper"))
        assert list(line.get_xdata()) == [published, published]
        assert line.get_linestyle() == ":"
        low, high = axes.get_xlim()
        assert low < 1 < published < high


def test_changes_have_a_band_that_counts_as_constant():
    axes = figures_effort.changes(CHANGES, 1.1).axes[0]
    band = axes.patches[0].get_extents().transformed(axes.transData.inverted())
    assert (band.x0, band.x1) == pytest.approx((1 / 1.1, 1.1))
    assert {name: place[0] for name, place in points(axes).items()} == {
        "own teacher": [1.0, 0], "true base": [1.2, 1], "any baseline": [0.9, 2]
    }  # fmt: skip
    assert labels(axes)[0] == "counts as constant"


def test_ratios_have_a_panel_per_pair_and_a_line():
    table = pd.DataFrame(dict(panel=["p"] * 3 + ["q"] * 3, human=[0, 1, 2] * 2, ratio=[1, 2, 4, 1, 1, 1]))
    lines = pd.DataFrame(dict(panel=["p", "p", "q", "q"], human=[0, 2] * 2, multiplier=[1, 4, 1, 1]))
    fig = figures_effort.ratios(table, lines, xlabel="difficulty")
    assert [axes.get_title() for axes in fig.axes] == ["p", "q"]
    dots, line = fig.axes[0].lines[1:]
    assert dots.get_ydata() == pytest.approx(np.log([1, 2, 4]))
    assert line.get_xydata() == pytest.approx(np.array([[0, 0], [2, np.log(4)]]))
    assert fig.get_supxlabel() == "difficulty"


def test_origin_lines_share_their_axes():
    table = pd.DataFrame(dict(panel=["p", "p", "q"], reference=[1.0, 10, 5], student=[2.0, 20, 15]))
    fig = figures_effort.origin_lines(table, {"q": 3.0, "p": 2.0})
    assert [axes.get_title() for axes in fig.axes] == ["q", "p"]
    assert fig.axes[0].lines[1].get_xydata() == pytest.approx(np.array([[0, 0], [10, 30]]))
    assert fig.axes[1].lines[0].get_xydata().tolist() == [[1, 2], [10, 20]]
    assert "tokens" in fig.get_supylabel()
