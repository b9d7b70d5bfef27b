import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from handan import figures_organism

mpl.use("Agg")


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


TABLE = pd.DataFrame(
    {
        "repertoire": ["equal", "equal", "carry", "carry", "carry"],
        "condition": ["base", "teacher", "base", "teacher", "student-hard"],
        "role": ["baseline", "teacher", "baseline", "teacher", "student"],
        "r_or_zero": [0.1, 0.0, 0.2, 0.7, 0.4],
        "zero_low": [0.0, np.nan, 0.1, 0.6, 0.3],
        "zero_high": [0.2, np.nan, 0.3, 0.8, 0.5],
        "ceiling": 0.95,
    }
)
MODELS = pd.concat(
    [TABLE.assign(seed=seed, r=TABLE["r_or_zero"] + 0.01 * seed) for seed in range(3)], ignore_index=True
).assign(r=lambda frame: frame["r"].mask(frame["r_or_zero"] == 0), r_or_zero=lambda f: f["r"].fillna(0))
CURVES = pd.DataFrame(
    [
        dict(stage=stage, condition=condition, seed=seed, step=step, r=0.1 * seed + slope * step)
        | dict(accuracy=0.9, tokens=30 + step)
        for stage, condition, slope in (
            ("reinforcement", "teacher", 0.01),
            ("imitation", "student-hard", 0.0),
        )
        for seed in range(3)
        for step in (0, 10, 20)
    ]
)


def points(axes):
    """Place of each mean by the label of its role."""
    return {c.get_label(): c.lines[0].get_xydata().tolist() for c in axes.containers}


def named(axes, label):
    return next(line for line in axes.lines if line.get_label() == label)


def test_conditions_stand_side_by_side_in_one_order():
    fig = figures_organism.conditions(TABLE, MODELS)
    equal, carry = fig.axes
    assert [axes.get_title() for axes in fig.axes] == ["repertoire: equal", "repertoire: carry"]
    assert [tick.get_text() for tick in equal.get_yticklabels()] == ["base", "teacher", "student-hard"]
    assert points(carry) == {"teacher": [[0.7, 1]], "student": [[0.4, 2]], "baseline": [[0.2, 0]]}
    assert equal.get_ylim()[0] > equal.get_ylim()[1]
    assert "(r)" in fig.get_supxlabel()


def test_every_seed_is_shown_and_one_without_r_is_a_cross():
    fig = figures_organism.conditions(TABLE, MODELS)
    equal, carry = fig.axes
    assert len(named(carry, "a seed").get_xdata()) == 9
    assert len(named(equal, "a seed").get_xdata()) == 3
    crosses = named(equal, "a seed without r")
    assert (list(crosses.get_xdata()), crosses.get_marker()) == ([0, 0, 0], "x")
    shown = {text.get_text() for text in carry.get_legend().get_texts()}
    assert {"a seed", "a seed without r", "noise ceiling", "teacher", "student", "baseline"} == shown


def test_the_ceiling_is_drawn_where_it_is_known():
    carry = figures_organism.conditions(TABLE, MODELS).axes[1]
    assert named(carry, "noise ceiling").get_xdata()[0] == 0.95
    bare = figures_organism.conditions(TABLE.assign(ceiling=np.nan), MODELS).axes[1]
    assert "noise ceiling" not in {line.get_label() for line in bare.lines}


def test_several_groups_of_tasks_are_refused():
    with pytest.raises(ValueError, match="choose one group of tasks"):
        figures_organism.conditions(pd.concat([TABLE, TABLE]), MODELS)


def test_a_learning_curve_has_a_line_per_seed_and_one_for_the_mean():
    axes = figures_organism.learning(CURVES).axes[0]
    drawn = [line for line in axes.lines if len(line.get_xdata())]
    thick = [line for line in drawn if line.get_linewidth() > 2]
    assert (len(drawn), len(thick)) == (2 * 3 + 2, 2)
    assert thick[0].get_xydata() == pytest.approx(np.array([[0, 0.1], [10, 0.2], [20, 0.3]]))
    assert axes.get_ylabel() == "correlation with human response time (r)"
    assert axes.get_xlabel() == "training step (updates)"
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert labels == ["reinforcement: teacher", "imitation: student-hard"]
    assert thick[0].get_color() != thick[1].get_color()


def test_learning_can_show_tokens_and_has_a_panel_per_repertoire():
    both = pd.concat([CURVES.assign(repertoire=name) for name in ("equal", "carry")])
    fig = figures_organism.learning(both, y="tokens")
    assert [axes.get_title() for axes in fig.axes] == ["repertoire: equal", "repertoire: carry"]
    assert "tokens" in fig.axes[0].get_ylabel()
    with pytest.raises(ValueError, match="one of r, accuracy, tokens"):
        figures_organism.learning(CURVES, y="loss")


def test_tokens_by_steps_draws_means_from_zero():
    table = pd.DataFrame(
        {"condition": ["a", "b"] * 4, "steps": [0, 0, 1, 1] * 2, "tokens": [10, 5, 20, 6, 14, 5, 24, 8]}
    )
    axes = figures_organism.tokens_by_steps(table, label="carries", order=["b", "a"]).axes[0]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["b", "a"]
    shown = [line.get_ydata().tolist() for line in axes.lines if len(line.get_xdata())]
    assert shown == [[5, 7], [12, 22]]
    assert (axes.get_ylim()[0], axes.get_xlabel()) == (0, "carries")
    assert "(tokens)" in axes.get_ylabel()
