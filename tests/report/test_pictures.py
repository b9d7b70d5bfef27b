import matplotlib
import numpy as np
import pandas as pd
import pytest

from handan.report.compose import Composer, Picture
from handan.report.forests import MOST_LINES
from handan.report.pictures import MOST_MODELS, pictures, verdicts

matplotlib.use("Agg")


def alignment(models, r=0.5, study="s"):
    n = len(models)
    return pd.DataFrame(
        dict(
            study=study,
            task="t",
            model=models,
            r=r,
            boot_low=r - 0.1,
            boot_high=r + 0.1,
            ceiling=np.nan,
            spearman=r,
            bf10=1.0,
            n=[30] * n,
        )
    )


def drawn(name, frame):
    found = list(pictures(name, {name: frame}))
    assert all(isinstance(one, Picture) for one in found), found
    return found


def shown(picture):
    labels = [label.get_text() for label in picture.fig.axes[0].get_yticklabels()]
    Composer().picture(picture)
    return labels


def test_the_caption_counts_what_the_table_holds():
    table = alignment(["a", "b", "c"], r=np.array([0.5, 0.05, -0.5]))
    [one] = drawn("alignment", table)
    assert "Of 3" not in one.caption
    assert one.caption.startswith("In s, of 3 intervals")
    assert "1 lies above 0 as a whole, 1 below" in one.caption
    assert "from −0.50 to 0.50" in one.alt
    shown(one)


@pytest.mark.parametrize(
    "name", ["$x^2$", "$\\frac{1}$", "\\frac", "a$b", "$", "$$", "\\$5 and \\$6", "100 %"]
)
def test_a_name_with_the_marks_of_a_formula_is_drawn_as_it_is(name):
    [one] = drawn("alignment", alignment([name, "other"]))
    one.fig.canvas.draw()
    label = one.fig.axes[0].get_yticklabels()[0]
    assert label._preprocess_math(label.get_text()) == (name, False)
    shown(one)


def test_each_study_has_its_own_figure_and_empty_tables_have_none():
    both = pd.concat([alignment(["a"]), alignment(["a"], study="u")])
    pictured = drawn("alignment", both)
    assert [one.caption[:5] for one in pictured] == ["In s,", "In u,"]
    for one in pictured:
        shown(one)
    assert drawn("alignment", both.assign(r=np.nan)) == []
    assert drawn("alignment", both.head(0)) == []
    assert drawn("any table", both[["study", "model", "r"]]) == []


def test_many_lines_are_capped_and_long_names_shortened_and_both_are_said():
    [one] = drawn("alignment", alignment([f"{'x' * 60}{k}" for k in range(MOST_LINES + 3)]))
    assert f"The first {MOST_LINES} of {MOST_LINES + 3} lines" in one.caption
    assert "the table has them in full" in one.caption
    assert len(set(shown(one))) == MOST_LINES


@pytest.mark.parametrize(
    ("name", "columns", "what"),
    [
        ("means", ["group", "mean_r", "low", "high"], "mean r of a role"),
        ("collapse", ["relation", "n_pairs", "difference", "low", "high", "sentence"], "teachers minus r of students"),
        ("transfer", ["relation", "n_pairs", "difference", "low", "high", "sentence"], "students minus r of baselines"),
        ("allocation", ["n_pairs", "difference", "low", "high", "sentence"], "likeness to the baseline"),
        ("effort", ["relation", "n_pairs", "form", "form_low", "form_high"], "distance of the student"),
        ("inflation_pooled", ["relation", "n_pairs", "multiplier", "multiplier_low", "multiplier_high"], "multiplier"),
        ("mixed_law", ["relation", "n_models", "change", "change_low", "change_high"], "change of the multiplier"),
    ],
)  # fmt: skip
def test_pooled_tables_are_known_by_their_columns(name, columns, what):
    texts = {
        "group": ["teacher", "student"],
        "relation": ["own teacher", "true base"],
        "n_pairs": 1,
        "n_models": 2,
    }
    table = pd.DataFrame({"study": ["$s$", "t"]} | {one: texts.get(one, [1.2, np.nan]) for one in columns})
    ends = [one for one in columns if one.endswith(("low", "high"))]
    table[ends] = [[1.1, 1.3], [np.nan, np.nan]]
    [one] = drawn(name, table)
    assert what in one.caption
    assert one.caption.startswith("Of 1 interval")
    assert one.alt.startswith("1 estimate")
    shown(one)
    assert drawn(name, table.tail(1)) == []


def test_a_law_is_held_against_the_band_that_counts_as_constant():
    table = pd.DataFrame(dict(study="s", relation="true base", n_pairs=2, change=[1.0, 1.5]))
    table = table.assign(change_low=[0.95, 1.2], change_high=[1.05, 1.8])
    [one] = drawn("inflation_pooled", table)
    assert "1 lies above 1 as a whole, 0 below" in one.caption
    assert "1 within a factor of 1.10, which counts as constant." in one.caption
    shown(one)


def geometry(names):
    rng = np.random.default_rng(0)
    models = pd.DataFrame(dict(study="s", model=names, role="teacher", leaf=range(len(names)), x=0.0, y=0.0))
    models[["x", "y"]] = rng.normal(size=(len(names), 2))
    models = models.assign(ellipse_width=0.1, ellipse_height=0.1, ellipse_angle=0.0)
    both = [(a, b) for k, a in enumerate(names) for b in names[:k]]
    pairs = pd.DataFrame(both, columns=["a", "b"]).assign(
        study="s", r=0.1, role_a="teacher", corrected=np.nan
    )
    pairs.loc[0, "r"] = 0.9
    return {"geometry_pairs": pairs, "geometry_models": models}


def test_fingerprints_are_drawn_as_a_matrix_and_as_a_map():
    tables = geometry(["$a$", "b", "c" * 5000])
    [matrix] = pictures("geometry_pairs", tables)
    [plan] = pictures("geometry_models", tables)
    assert "most alike are b and $a$" in matrix.caption
    assert "3 fingerprints" in matrix.alt
    assert "3 models in s" in plan.caption
    for one in (matrix, plan):
        Composer().picture(one)


def test_every_study_and_claim_of_a_multiverse_has_its_curve():
    from handan.findings.specifications import CHOICES

    table = pd.DataFrame({choice: ["a", "b", "b"] for choice in CHOICES}).assign(
        study="$s$", claim="collapse"
    )
    table = table.assign(specification=[1, 2, 3], run=[True, True, False], difference=[0.2, -0.1, np.nan])
    table = table.assign(low=[0.1, -0.2, np.nan], high=[0.3, 0.1, np.nan], cost="$x$")
    [one] = drawn("multiverse_curve", table)
    assert one.caption.startswith("2 specifications of collapse in $s$: 50 % of the intervals lie above 0")
    Composer().picture(one)
    assert drawn("multiverse_curve", table.assign(run=False)) == []


def test_the_shares_of_a_multiverse_are_drawn_where_anything_was_run():
    table = pd.DataFrame(dict(study=["$s$", "t"], claim="collapse", n_run=[4, 0], supported=[0.25, np.nan]))
    table = table.assign(not_supported=[0.5, np.nan], cannot_tell=[0.25, np.nan])
    [one] = drawn("multiverse_summary", table)
    assert "were run, 25 % support a claim" in one.caption
    Composer().picture(one)
    assert drawn("multiverse_summary", table.tail(1)) == []


def test_a_matrix_that_nobody_could_read_is_said_to_be_missing():
    [text] = pictures("geometry_pairs", geometry([f"m{k}" for k in range(MOST_MODELS + 1)]))
    assert text.startswith("A figure of geometry pairs for s could not be drawn: 61 models")


def test_the_grid_of_verdicts_survives_strange_studies():
    rows = pd.DataFrame(
        dict(
            claim=["a", "b"], title=["A", "B"], study=["$x$\n", "$x$\n"], verdict=["supported", "cannot tell"]
        )
    )
    one = verdicts(rows)
    assert "1 supported, 1 cannot tell" in one.caption
    Composer().picture(one)


def test_a_figure_that_cannot_be_drawn_is_said_to_be_missing():
    [text] = pictures("alignment", {"alignment": alignment(["a"]).drop(columns="boot_high")})
    assert text.startswith("A figure of alignment for s could not be drawn")
