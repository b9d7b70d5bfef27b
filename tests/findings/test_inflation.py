import numpy as np
import pandas as pd
import pytest

from handan import costs as recorded
from handan.findings.constancy import constant_multiplier
from handan.findings.inflation import inflation, item_means, log_change
from handan.findings.join import join
from handan.lineage import load_lineage
from handan.stats.bootstrap import resample_counts
from handan.stats.multiplier import multipliers
from handan.stats.percentile import percentile_interval


def study(change=1.0, times=2.0, n=120, seed=0, noise=0.3, samples=1):
    """A student that spends `times` its teacher's cost, times `change` per SD of difficulty."""
    rng = np.random.default_rng(seed)
    human = rng.normal(size=n)
    human = (human - human.mean()) / human.std(ddof=1)
    items = [f"i{k}" for k in range(n)]
    norms = pd.DataFrame({"task": "t", "item": items, "log_rt": 1 + 0.3 * human})
    true = 5 + 0.5 * human
    logs = {"teacher": true, "student": true + np.log(times) + np.log(change) * human, "base": true - 1}
    rows = [
        pd.DataFrame(dict(study="simulated", model=model, task="t", item=items, sample=k)).assign(
            reasoning_tokens=np.exp(log + noise * rng.normal(size=n)), stop="stop"
        )
        for model, log in logs.items()
        for k in range(samples)
    ]
    return pd.concat(rows, ignore_index=True), norms


def found(costs, norms, lineage, **options):
    options = {"n_boot": 400, **options}
    return inflation(join(costs, norms), costs, lineage, **options).set_index("relation")


def test_the_fits_of_a_pair_by_another_path(lineage):
    costs, norms = study(samples=3)
    row = found(costs, norms, lineage).loc["own teacher"]
    wide = costs.groupby(["item", "model"])["reasoning_tokens"].mean().unstack()
    wide = wide.join(norms.set_index("item")["log_rt"])
    assert (row["student"], row["reference"], row["n"]) == ("student", "teacher", 120)
    assert row["slope"] == pytest.approx(np.polyfit(wide["teacher"], wide["student"], 1)[0])
    ratio = np.log(wide["student"] / wide["teacher"])
    assert row["geometric"] == pytest.approx(np.exp(ratio.mean()))
    slope = np.polyfit(wide["log_rt"], ratio, 1)[0]
    assert row["change"] == pytest.approx(np.exp(slope * wide["log_rt"].std()))
    assert row["change_low"] < row["change"] < row["change_high"]


def test_a_constant_multiplier_is_supported_and_a_growing_one_is_not(lineage):
    row = found(*study(n=600), lineage).loc["own teacher"]
    assert row["verdict"] == "supported"
    assert "spends 2." in row["sentence"] or "spends 1.9" in row["sentence"]
    row = found(*study(change=1.3), lineage).loc["own teacher"]
    assert row["verdict"] == "not supported"
    assert "grows with difficulty" in row["sentence"]
    assert found(*study(n=25, noise=1.0), lineage).loc["own teacher", "verdict"] == "cannot tell"


def verdicts(change, n=256, n_studies=400, noise=0.4, seed=0):
    """Verdicts of many studies that share their items' difficulty, and nothing else."""
    rng = np.random.default_rng(seed)
    human = rng.normal(size=n)
    human = (human - human.mean()) / human.std(ddof=1)
    ratio = np.log(1.8) + np.log(change) * human[:, None] + noise * rng.normal(size=(n, n_studies))
    ends = percentile_interval(np.exp(log_change(resample_counts(n, 600, rng), ratio, human)))
    return pd.Series([constant_multiplier(*pair, n) for pair in zip(ends.low, ends.high, strict=True)])


def test_the_rule_keeps_its_level():
    # a true constant is denied in at most 5 %, a change of the limit's size approved in at most 2.5 %,
    # each with three Monte Carlo standard errors
    assert (verdicts(1.0) == "not supported").mean() <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 400)
    assert (verdicts(1.10) == "supported").mean() <= 0.025 + 3 * np.sqrt(0.025 * 0.975 / 400)


def test_the_rule_has_power():
    assert (verdicts(1.25) == "not supported").mean() > 0.95
    assert (verdicts(1 / 1.25) == "not supported").mean() > 0.95
    assert (verdicts(1.0) == "supported").mean() > 0.75


def test_a_slope_on_the_teachers_own_cost_is_biased_where_the_law_holds():
    rng = np.random.default_rng(0)
    human = rng.normal(size=(400, 1))
    true = 5 + 0.5 * human
    teacher, student = (np.exp(true + shift + 0.4 * rng.normal(size=(400, 50))) for shift in (0, np.log(2)))
    once = np.ones((1, 400))
    assert multipliers(once, teacher, student)["loglog_ols"].mean() < 0.75
    change = log_change(once, np.log(student / teacher), human[:, 0])
    assert np.exp(change.mean()) == pytest.approx(1, abs=0.01)


def test_zeros_are_counted_and_leave_only_the_logs(lineage):
    costs, norms = study()
    gone = (costs["model"] == "student") & costs["item"].isin(["i0", "i1", "i2"])
    costs.loc[gone, "reasoning_tokens"] = 0
    row = found(costs, norms, lineage).loc["own teacher"]
    wide = item_means(costs).loc[("simulated", "t")]
    assert (row["n"], row["n_zero"]) == (120, 3)
    assert row["ratio_of_means"] == pytest.approx(wide["student"].sum() / wide["teacher"].sum())
    positive = wide[wide["student"] > 0]
    assert row["geometric"] == pytest.approx(np.exp(np.log(positive["student"] / positive["teacher"]).mean()))


def test_failed_requests_and_missing_counts_are_not_zeros():
    costs, _ = study(samples=2)
    costs.loc[0, ["reasoning_tokens", "stop"]] = [1e6, "error"]
    costs.loc[1, "reasoning_tokens"] = np.nan
    means = item_means(costs).loc[("simulated", "t"), "teacher"]
    second = costs[(costs["model"] == "teacher") & (costs["sample"] == 1)].set_index("item")
    assert means[["i0", "i1"]].tolist() == second.loc[["i0", "i1"], "reasoning_tokens"].tolist()


def test_costs_that_never_vary_tell_nothing_about_the_law(lineage):
    costs, norms = study(noise=0.0)
    costs["reasoning_tokens"] = costs["model"].map({"teacher": 33.0, "student": 66.0, "base": 5.0})
    row = found(costs, norms, lineage).loc["own teacher"]
    assert (row["geometric"], row["verdict"]) == (pytest.approx(2), "cannot tell")
    assert row["note"] == "all items cost the reference and the student the same"


def test_every_student_meets_its_teacher_and_its_base_only(lineage):
    table = found(*study(), lineage)
    assert table[["student", "reference"]].to_numpy().tolist() == [
        ["student", "teacher"],
        ["student", "base"],
    ]
    assert table.loc["true base", "geometric"] == pytest.approx(2 * np.e, rel=0.1)


def test_without_a_pair_there_are_no_rows_and_a_wrong_cost_is_named(lineage):
    costs, norms = study()
    alone = costs[costs["model"] == "teacher"]
    assert inflation(join(alone, norms), alone, lineage, n_boot=50).empty
    with pytest.raises(LookupError, match="no column 'words'"):
        item_means(costs, "words")


def test_a_recorded_study_keeps_its_multipliers():
    given = recorded.load_study("mip-gsm8k")
    table = inflation(join(given.costs, given.norms), given.costs, load_lineage(), n_boot=200)
    wide = given.costs.pivot(index="item", columns="model", values="reasoning_tokens")
    row = table[(table["student"] == "s1.1-32B") & (table["relation"] == "own teacher")].iloc[0]
    both = wide[["s1.1-32B", row["reference"]]].dropna()
    assert row["ratio_of_means"] == pytest.approx(both["s1.1-32B"].sum() / both[row["reference"]].sum())
    assert row["n"] == len(both)
