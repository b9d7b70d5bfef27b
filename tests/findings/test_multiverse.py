import numpy as np
import pandas as pd
import pytest
from tests.findings.multiverse_studies import LINEAGE, study, tables

from handan.findings.multiverse import SUMMARY, multiverse, not_run, ranked
from handan.findings.multiverse_shares import SHARES
from handan.findings.multiverse_tests import AGREEMENT, CLEAR, MEDIAN, TESTS
from handan.findings.specifications import CHOICES, COLUMNS, specifications
from handan.inputs import recorded
from handan.lineage import load_lineage


@pytest.fixture(scope="module")
def collapsed():
    """A study with a true collapse and no negative transfer, and its multiverse."""
    rho = {"teacher": 0.85, "student": 0.2, "second": 0.2, "base": 0.2, "sibling": 0.2}
    inputs = study(*tables(rho, n=120, samples=1))
    return inputs, multiverse(inputs, LINEAGE, n_perm=500)


def row(found, claim):
    return found.summary.set_index("claim").loc[claim]


def test_the_tables_have_their_columns(collapsed):
    inputs, found = collapsed
    assert list(found.curve.columns) == COLUMNS
    assert list(found.summary.columns) == SUMMARY
    assert list(found.choices.columns) == SHARES
    assert list(found.tests.columns) == TESTS
    for claim in ("collapse", "transfer"):
        alone = found.curve[found.curve["claim"] == claim].reset_index(drop=True)
        pd.testing.assert_frame_equal(alone, specifications(inputs, LINEAGE, claim), check_dtype=False)


def test_the_summary_counts_the_curve(collapsed):
    _, found = collapsed
    for claim, sign in (("collapse", 1), ("transfer", -1)):
        curve = found.curve[found.curve["claim"] == claim]
        run, one = curve[curve["run"]], row(found, claim)
        assert one["n_specifications"] == len(curve) == one[["n_run", "n_same", "n_unsupported"]].sum()
        assert one["n_run"] == len(run)
        assert one["median"] == run["difference"].median()
        assert (one["smallest"], one["largest"]) == (run["difference"].min(), run["difference"].max())
        assert one["in_direction"] == (sign * run["difference"] > 0).mean()
        above, below = (run["low"] > 0).mean(), (run["high"] < 0).mean()
        assert (one["clear_for"], one["clear_against"]) == ((above, below) if sign > 0 else (below, above))
        assert one[["supported", "not_supported", "cannot_tell"]].sum() == pytest.approx(1)
        assert one["supported"] == (run["verdict"] == "supported").mean()
        shares = found.choices[(found.choices["claim"] == claim) & found.choices["choice"].isin(CHOICES)]
        assert one["choice_share"] == shares["share"].max()


def test_a_true_collapse_is_found_by_all_and_jointly(collapsed):
    _, found = collapsed
    collapse, transfer = row(found, "collapse"), row(found, "transfer")
    assert collapse["in_direction"] == collapse["supported"] == 1
    assert collapse["p_median"] < 0.01
    assert transfer["supported"] < 0.2
    assert transfer["p_median"] > 0.05


def test_sentences_say_what_the_summary_says(collapsed):
    _, found = collapsed
    sentence = row(found, "collapse")["sentence"]
    one = row(found, "collapse")
    assert f"Collapse in made-up: {one['n_run']} specifications give" in sentence
    assert f"{one['median']:.3f}" in sentence
    assert "100 % lie in the paper's direction" in sentence
    assert "teachers less students" in sentence
    assert "students less baselines" in row(found, "transfer")["sentence"]


def test_nearly_all_is_not_all():
    from handan.findings.multiverse import _percent

    assert [_percent(share) for share in (1, 0.9999, 0.5, 0.001, 0)] == [
        "100 %",
        "100.0 %",
        "50 %",
        "0.1 %",
        "0 %",
    ]


def test_the_seed_decides_the_draws_and_nothing_else(collapsed):
    inputs, found = collapsed
    again, other = (multiverse(inputs, LINEAGE, n_perm=500, seed=seed) for seed in (0, 1))
    pd.testing.assert_frame_equal(again.tests, found.tests)
    pd.testing.assert_frame_equal(other.curve, found.curve)
    pd.testing.assert_frame_equal(other.choices, found.choices)
    assert not other.tests["null_low"].equals(found.tests["null_low"])


def test_ranked_puts_estimates_in_order(collapsed):
    _, found = collapsed
    table = ranked(found.curve, "made-up", "transfer")
    assert table["difference"].is_monotonic_increasing
    assert table["place"].tolist() == list(range(1, len(table) + 1))
    assert ((table["interval"] == "above 0") == (table["low"] > 0)).all()
    assert ((table["interval"] == "below 0") == (table["high"] < 0)).all()
    assert table["run"].all()
    assert ranked(found.curve, "made-up", "nothing").empty


def test_not_run_counts_every_combination_that_was_not_run(collapsed):
    _, found = collapsed
    counted = not_run(found.curve)
    assert counted["n"].sum() == (~found.curve["run"]).sum()
    assert "the same numbers as another specification" in set(counted["reason"])
    assert not_run(found.curve[found.curve["run"]]).empty


@pytest.mark.filterwarnings("error")
def test_a_study_without_pairs_says_so():
    costs, norms = tables({"teacher": 0.5}, n=30)
    found = multiverse(study(costs, norms), LINEAGE, n_perm=10)
    assert found.summary["n_run"].tolist() == [0, 0]
    assert found.summary["median"].isna().all()
    assert (
        found.summary["sentence"].str.contains("no specification could be run, no such pair of models").all()
    )
    assert found.choices.empty
    assert found.tests["note"].tolist() == ["no specification was run"] * 2
    assert found.tests["p"].isna().all()


@pytest.mark.filterwarnings("error")
def test_a_single_specification_is_a_multiverse_too():
    costs, norms = tables({"teacher": 0.7, "student": 0.3}, n=30, samples=1, timed=False)
    bare = costs[["study", "model", "task", "item", "reasoning_tokens"]].copy()
    bare["reasoning_tokens"] = np.where(bare["model"] == "teacher", 2.0, 3.0) ** (np.arange(60) % 2)
    found = multiverse(study(bare, norms), LINEAGE, n_perm=50)
    # A cost with two values, the same items dear for both: no choice changes anything.
    one = found.summary.set_index("claim").loc["collapse"]
    assert (one["n_run"], one["median"], one["p_median"]) == (1, 0, 1)
    assert "1 specification gives a median difference" in one["sentence"]
    assert found.choices["share"].isna().all()
    assert one["choice"] is None or np.isnan(one["choice"])


@pytest.mark.filterwarnings("error")
def test_recorded_studies_give_hundreds_of_specifications():
    lineage = load_lineage()
    one = recorded(["mip-math"], "reasoning_tokens")[0]
    found = multiverse(one, lineage, n_perm=50)
    assert found.summary["n_run"].sum() > 300
    assert set(found.tests["statistic"]) == {MEDIAN, AGREEMENT, CLEAR}


def test_a_negative_count_of_draws_is_refused():
    with pytest.raises(ValueError, match="n_perm"):
        multiverse(study(n=20), LINEAGE, n_perm=0)
