import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from statsmodels.formula.api import ols
from tests.findings.multiverse_studies import LINEAGE, study, tables

from handan.findings.wrong_answers import ALL, COLUMNS, PEOPLE, wrong_answers
from handan.findings.wrong_answers import _slopes as slopes
from handan.stats.simulate import proportion_interval

STORED = pd.DataFrame(
    json.loads(Path(__file__).with_name("multiverse_level.json").read_text(encoding="utf-8"))
)
MODELS = {"teacher": 0.5, "student": 0.3, "second": 0.4}


@pytest.fixture(scope="module")
def benchmark_module():
    sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
    try:
        import multiverse_level

        return multiverse_level
    finally:
        sys.path.pop(0)


def with_errors(times, n=60, seed=0, samples=2):
    """Traces whose wrong ones cost so many times more, on items whose hard ones are failed more often."""
    rng = np.random.default_rng(seed)
    costs, norms = tables(MODELS, n=n, seed=seed, samples=samples)
    hard = costs["item"].map(norms.set_index("item")["log_rt"]) - 1
    costs["correct"] = (rng.random(len(costs)) > 0.3 + hard.clip(-0.25, 0.6)).astype(float)
    costs["reasoning_tokens"] *= np.where(costs["correct"] == 1, 1, times)
    return costs, norms


def found(costs, norms, group=ALL):
    table = wrong_answers(study(costs, norms), LINEAGE)
    assert list(table.columns) == COLUMNS
    return table[table["group"] == group].set_index("way")


def test_slopes_are_those_of_a_regression_with_dummies():
    costs, norms = with_errors(1.5)
    table = found(costs, norms)
    frame = costs.assign(y=np.log(costs["reasoning_tokens"]), wrong=1 - costs["correct"])
    cells = frame.groupby(["item", "model"], as_index=False)[["y", "wrong"]].mean()
    items = cells.groupby("item", as_index=False)[["y", "wrong"]].mean()
    expected = {
        "across samples": ols("y ~ wrong + C(item):C(model)", frame).fit().params["wrong"],
        "across models": ols("y ~ wrong + C(item) + C(model)", cells).fit().params["wrong"],
        "across items": ols("y ~ wrong", items).fit().params["wrong"],
    }
    for way, slope in expected.items():
        assert table.at[way, "ratio"] == pytest.approx(np.exp(slope))


def test_the_interval_is_near_that_of_errors_clustered_by_item():
    costs, norms = with_errors(1.5, n=120)
    cells = costs.assign(y=np.log(costs["reasoning_tokens"]), wrong=1 - costs["correct"])
    cells = cells.groupby(["item", "model"], as_index=False)[["y", "wrong"]].mean()
    groups = cells["item"].astype("category").cat.codes
    fit = ols("y ~ wrong + C(item) + C(model)", cells).fit()
    # Fixed effects of the clusters themselves: the correction must not count them.
    clustered = fit.get_robustcov_results("cluster", groups=groups, use_correction=False)
    error = clustered.bse[list(fit.params.index).index("wrong")]
    row = found(costs, norms).loc["across models"]
    assert np.log(row["high"] / row["low"]) == pytest.approx(2 * 1.98 * error, rel=0.06)


def test_the_true_ratio_is_covered_within_items_but_not_across_them(benchmark_module):
    stored = STORED[STORED["world"] == "wrong answers dearer"].set_index(["quantity", "items"])
    assert (stored["n_studies"] >= 1_000).all()
    for n in (46, 136):
        for way in ("across samples", "across models"):
            assert stored.at[(f"misses {way}", n), "rate"] == pytest.approx(0.05, abs=0.022)
        # Hard items are failed more often and cost more: the reason to look within items.
        assert stored.at[("misses across items", n), "rate"] > 0.3
    again = benchmark_module.missed_ratios(46, 20)
    for way in ("across samples", "across models"):
        low, high = proportion_interval(again[way], 20, confidence=0.9999)
        assert low <= 0.05 <= high


def test_roles_people_and_unjudged_traces_are_told_apart():
    costs, norms = with_errors(1.5)
    costs.loc[costs["model"] == "teacher", "correct"] = np.nan
    table = wrong_answers(study(costs, norms), LINEAGE)
    assert table["group"].drop_duplicates().tolist() == ["teacher", "student", ALL, PEOPLE]
    teacher = table[table["group"] == "teacher"]
    assert set(teacher["note"]) == {"no record of right and wrong answers"}
    assert teacher["n_unjudged"].tolist() == [120] * 3
    everybody = table[table["group"] == ALL].iloc[0]
    assert (everybody["n_traces"], everybody["n_unjudged"], everybody["n_models"]) == (240, 120, 2)
    people = table[table["group"] == PEOPLE].iloc[0]
    asked = norms.assign(wrong=1 - norms["accuracy"])
    assert people["ratio"] == pytest.approx(np.exp(ols("log_rt ~ wrong", asked).fit().params["wrong"]))
    assert people["n_items"] == 60


@pytest.mark.filterwarnings("error")
def test_what_cannot_be_compared_is_said():
    costs, norms = with_errors(1.5, samples=1)
    table = found(costs, norms)
    assert table.at["across samples", "note"] == "no item has both right and wrong answers"
    assert table.at["across samples", "n_items"] == 0
    alone = found(costs[costs["model"] == "teacher"], norms, "teacher")
    assert alone.at["across models", "note"] == "no item has both right and wrong answers"
    always = costs.assign(correct=(costs["model"] == "teacher").astype(float))
    assert (
        found(always, norms).at["across models", "note"]
        == "errors go with models, so they can't be told apart"
    )
    level = found(*tables(MODELS, n=30, timed=False), PEOPLE)
    assert level["note"].tolist() == ["the norms have no times with accuracies"]


@pytest.mark.filterwarnings("error")
def test_one_item_gives_a_ratio_and_no_interval():
    costs, norms = with_errors(1.5)
    costs["correct"] = 1.0
    costs.loc[(costs["item"] == "i3") & (costs["sample"] == 0), "correct"] = 0.0
    row = found(costs, norms).loc["across samples"]
    assert (row["n_items"], row["note"]) == (1, "no interval: a single item holds the contrast")
    assert np.isfinite(row["ratio"])
    assert np.isnan(row["low"])


def test_two_studies_are_told_apart():
    costs, norms = with_errors(1.5)
    both = pd.concat([costs, costs.assign(study="another", correct=1.0)], ignore_index=True)
    table = wrong_answers(study(both, norms), LINEAGE).set_index(["study", "group", "way"])
    assert table.loc[("made-up", ALL, "across models"), "ratio"] == pytest.approx(
        found(costs, norms).at["across models", "ratio"]
    )
    assert np.isnan(table.loc[("another", ALL, "across models"), "ratio"])


def test_without_an_item_the_regression_is_that_of_the_others():
    rng = np.random.default_rng(0)
    item = rng.permutation(np.repeat(np.arange(15), 4))
    design = rng.normal(size=(60, 3))
    y = design @ [0.5, 1, -1] + rng.normal(size=60)
    slope, without = slopes(y, design, item)
    assert slope == pytest.approx(np.linalg.lstsq(design, y, rcond=None)[0][0])
    again = [np.linalg.lstsq(design[item != k], y[item != k], rcond=None)[0][0] for k in range(15)]
    assert without == pytest.approx(np.array(again))
