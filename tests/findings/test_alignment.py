import numpy as np
import pandas as pd
import pytest
from scipy import stats

from handan import costs
from handan.findings.across import cross_task
from handan.findings.alignment import COLUMNS, align, alignment, mean_alignment
from handan.findings.join import join

# de Varda et al. (2025), log-log r per task, as digitised from the published figure
PUBLISHED = {
    "arithmetic-numeric": 0.628,
    "arithmetic-verbal": 0.602,
    "syllogisms": 0.566,
    "logic-ale": 0.894,
    "relational": 0.609,
    "h-arc": 0.371,
}


@pytest.fixture(scope="module")
def r1():
    study = costs.load_study("pnas-r1")
    return study, join(study.costs, study.norms)


def test_the_published_correlations_of_the_teacher(r1):
    study, joined = r1
    table = align(joined, study.reliability, n_boot=200)
    assert table.set_index("task")["r"].round(3).to_dict() == PUBLISHED
    assert list(table.columns) == COLUMNS
    assert ((table["r_low"] < table["r"]) & (table["r"] < table["r_high"])).all()
    assert ((table["boot_low"] < table["r"]) & (table["r"] < table["boot_high"])).all()


def test_the_published_cross_task_correlation(r1):
    study, joined = r1
    found = cross_task(joined, task_rows=study.task_rows).iloc[0]
    assert round(found["mean_r"], 3) == 0.942
    assert found["n_items"] == 120


def test_rows_that_were_never_drawn_do_not_change_the_cross_task_draws(r1):
    study, joined = r1
    without = {task: rows for task, rows in study.task_rows.items() if task != "h-arc"}
    assert cross_task(joined, task_rows=without)["mean_r"].iloc[0] != pytest.approx(0.942113, abs=1e-6)


def test_one_task_has_nothing_to_pool(simulated):
    table, norms = simulated({"m": 0.5})
    with pytest.raises(ValueError, match="one task only"):
        cross_task(join(table, norms))


def test_a_row_agrees_with_scipy(simulated):
    table, norms = simulated({"m": 0.5}, n=60)
    row = alignment(table, norms, n_boot=300).iloc[0]
    reference = stats.pearsonr(np.log(table["reasoning_tokens"]), norms["log_rt"])
    interval = reference.confidence_interval()
    assert row["r"] == pytest.approx(reference.statistic)
    assert row["p"] == pytest.approx(reference.pvalue)
    assert (row["r_low"], row["r_high"]) == pytest.approx((interval.low, interval.high))
    rank = stats.spearmanr(table["reasoning_tokens"], norms["log_rt"]).statistic
    assert row["spearman"] == pytest.approx(rank)


def test_partial_r_holds_the_prompt_length_constant(simulated):
    table, norms = simulated({"m": 0.5})
    length = np.exp(3 + norms["log_rt"] + np.random.default_rng(1).normal(0, 0.05, len(norms))).round()
    row = alignment(table.assign(prompt_tokens=length.to_numpy()), norms, n_boot=100).iloc[0]
    z = np.log(length)
    residuals = [
        values - np.polyval(np.polyfit(z, values, 1), z)
        for values in (np.log(table["reasoning_tokens"]), norms["log_rt"])
    ]
    assert row["partial_r"] == pytest.approx(np.corrcoef(*residuals)[0, 1])
    assert row["covariate"] == "prompt_tokens"


def test_the_ceiling_is_the_root_of_the_reliability(simulated):
    table, norms = simulated({"m": 0.5})
    reliability = pd.DataFrame({"study": ["simulated"], "task": ["t"], "reliability": [0.81]})
    row = alignment(table, norms, reliability, n_boot=100).iloc[0]
    assert row["ceiling"] == pytest.approx(0.9)
    assert row["r_over_ceiling"] == pytest.approx(row["r"] / 0.9)
    assert np.isnan(alignment(table, norms, n_boot=100).iloc[0]["ceiling"])


def test_a_constant_cost_gives_no_r_but_a_note(simulated):
    table, norms = simulated({"m": 0.5})
    row = alignment(table.assign(reasoning_tokens=7), norms, n_boot=100).iloc[0]
    assert np.isnan(row["r"])
    assert "no variance" in row["note"]


def test_excluded_rows_are_counted(simulated):
    table, norms = simulated({"m": 0.5})
    table.loc[:2, "reasoning_tokens"] = [0, np.nan, 0]
    row = alignment(table, norms, n_boot=100).iloc[0]
    assert (row["excluded"], row["n"]) == (3, len(norms) - 3)


def test_the_order_of_rows_does_not_matter(simulated):
    table, norms = simulated({"a": 0.5, "b": 0.2})
    first = alignment(table, norms, n_boot=100).set_index("model")
    again = alignment(table.sample(frac=1, random_state=1), norms.sample(frac=1, random_state=2), n_boot=100)
    pd.testing.assert_series_equal(first["r"], again.set_index("model")["r"].loc[first.index])


def test_means_are_plain_and_through_fisher(r1):
    _, joined = r1
    row = mean_alignment(joined, n_boot=500).iloc[0]
    r = np.array(list(PUBLISHED.values()))
    assert row["mean_r"] == pytest.approx(r.mean(), abs=1e-3)
    assert row["mean_r_fisher"] == pytest.approx(np.tanh(np.arctanh(r).mean()), abs=1e-3)
    assert row["low"] < row["mean_r"] < row["high"]


def test_a_group_keeps_the_dependence_of_its_models(simulated):
    # two copies of one model carry no more information than one
    table, norms = simulated({"a": 0.5})
    both = pd.concat([table, table.assign(model="b")])
    joined = join(both, norms)
    one = mean_alignment(joined, {"a": "g"}, n_boot=500).iloc[0]
    two = mean_alignment(joined, {"a": "g", "b": "g"}, n_boot=500).iloc[0]
    assert (two["low"], two["high"]) == pytest.approx((one["low"], one["high"]))


def test_the_bootstrap_interval_covers(simulated):
    hits = 0
    for seed in range(200):
        table, norms = simulated({"m": 0.6}, n=60, seed=seed)
        row = alignment(table, norms, n_boot=300, seed=seed).iloc[0]
        hits += row["boot_low"] <= 0.6 <= row["boot_high"]
    # 95 % nominal; 200 runs have a standard error of 1.5 points, and percentiles are a little narrow
    assert 0.885 <= hits / 200 <= 0.985


def test_a_model_without_a_usable_row_stays_in_the_table(simulated):
    table, norms = simulated({"a": 0.5, "b": 0.5})
    table.loc[table["model"] == "b", "reasoning_tokens"] = 0
    found = alignment(table, norms, n_boot=100).set_index("model")
    assert (found.at["b", "n"], found.at["b", "excluded"]) == (0, len(norms))
    assert "no cost row can be used" in found.at["b", "note"]


def test_a_cost_that_never_varies_has_no_mean_and_nobody_named_gives_an_empty_table():
    items = [f"i{k}" for k in range(30)]
    norms = pd.DataFrame(dict(task="t", item=items, log_rt=np.linspace(0, 1, 30)))
    costs = pd.DataFrame(dict(model="flat", task="t", item=items, reasoning_tokens=7))
    joined = join(costs, norms)
    for found in (mean_alignment(joined, n_boot=50), mean_alignment(joined, {}, n_boot=50)):
        assert found.empty
        assert {"study", "group", "mean_r", "n_items"} <= set(found.columns)
