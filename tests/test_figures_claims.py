import matplotlib.pyplot as plt
import pandas as pd
import pytest

from handan import figures_claims

ROWS = pd.DataFrame(
    dict(
        title=["Collapse", "Collapse", "Transfer $x_2$"],
        study=["a", r"$\frac{1}$", "a"],
        verdict=["supported", "cannot tell", "not supported"],
        ours=[0.3, 0.1, -0.2],
        low=[0.1, -0.1, -0.3],
        high=[0.5, 0.3, -0.1],
        paper=[0.3, 0.3, "below 0"],
    )
)


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


def test_the_grid_has_a_place_for_every_claim_and_study():
    fig = figures_claims.verdict_grid(ROWS)
    fig.canvas.draw()
    axes = fig.axes[0]
    assert len(axes.get_yticks()) == len(axes.get_xticks()) == 2
    places = {tuple(point) for one in axes.collections for point in one.get_offsets()}
    assert places == {(0, 0), (1, 0), (0, 1)}


def test_verdicts_differ_in_marker_as_well_as_in_colour():
    assert len({marker for _, marker in figures_claims.LOOKS.values()}) == 3
    assert len({colour for colour, _ in figures_claims.LOOKS.values()}) == 3


@pytest.mark.parametrize(("rows", "x"), [(ROWS.iloc[:2], 0.3), (ROWS.iloc[2:], 0.0)])
def test_the_published_number_or_zero_is_marked(rows, x):
    fig = figures_claims.beside_the_paper(rows, "difference of correlations")
    fig.canvas.draw()
    lines = [line for line in fig.axes[0].lines if list(line.get_xdata()) == [x, x]]
    assert lines
    assert [label.get_text() for label in fig.axes[0].get_yticklabels()] == [
        figures_claims.literal(name) for name in rows["study"]
    ]


def test_the_legend_says_what_the_number_is():
    fig = figures_claims.beside_the_paper(ROWS.iloc[:2], "factor", "a constant multiplier")
    texts = [text.get_text() for text in fig.axes[0].get_legend().get_texts()]
    assert "a constant multiplier" in texts
    assert "the published number" not in texts
