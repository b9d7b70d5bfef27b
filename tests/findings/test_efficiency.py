import warnings

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from handan import costs as recorded
from handan.findings.efficiency import MODELS, POINTS, efficiency
from handan.findings.efficiency_law import COLUMNS, efficiency_law, r2_about_zero
from handan.findings.join import join
from handan.lineage import load_lineage
from handan.stats.bootstrap import resample_counts
from handan.stats.multiplier import multipliers
from handan.stats.percentile import percentile_interval


def study(n=60, seed=0, accuracy=(0.9, 0.7, 0.5), samples=1):
    rng = np.random.default_rng(seed)
    items = [f"i{k}" for k in range(n)]
    shared = rng.standard_normal(n)
    rows = [
        pd.DataFrame(dict(study="s", model=model, task="t", item=items, sample=k, stop="stop")).assign(
            reasoning_tokens=np.exp(level + 0.4 * shared), correct=(rng.random(n) < share).astype(float)
        )
        for model, level, share in zip(("teacher", "student", "base"), (6, 5.5, 4.5), accuracy, strict=True)
        for k in range(samples)
    ]
    return pd.concat(rows, ignore_index=True), pd.DataFrame(
        dict(task="t", item=items, log_rt=1 + 0.1 * shared)
    )


def found(costs, norms, lineage, **options):
    return efficiency(join(costs, norms), costs, lineage, **{"n_boot": 300, **options})


def points(x, y, relation="true base", study="s", index="IEI"):
    names = [f"m{k}" for k in range(len(x))]
    table = pd.DataFrame(dict(study=study, task="t", relation=relation, student=names, baseline="b", n=30))
    return table.assign(index=index, x=x, y=y, ratio=np.divide(y, x), note="")


def test_the_index_is_mean_cost_over_accuracy(lineage):
    costs, norms = study(samples=3)
    table = found(costs, norms, lineage).models.set_index("model")
    part = costs[costs["model"] == "student"]
    value = part["reasoning_tokens"].mean() / part["correct"].mean()
    row = table.loc["student"]
    assert row["value"] == pytest.approx(value)
    assert (row["index"], row["role"], row["n"], row["n_ungraded"]) == ("IEI", "student", 60, 0)
    assert row["value_low"] < value < row["value_high"]
    counts = resample_counts(60, 2000, 0)
    items = part.groupby("item")[["reasoning_tokens", "correct"]].mean()
    ends = percentile_interval((counts @ items["reasoning_tokens"]) / (counts @ items["correct"]))
    assert (row["value_low"], row["value_high"]) == pytest.approx((ends.low, ends.high), rel=0.05)


def test_without_grades_the_mean_cost_stands_in(lineage):
    costs, norms = study()
    table = found(costs.drop(columns="correct"), norms, lineage)
    assert set(table.models["index"]) == set(table.points["index"]) == {"mean cost"}
    assert table.models["accuracy"].isna().all()
    row = table.points.iloc[0]
    means = costs.groupby("model")["reasoning_tokens"].mean()
    assert row["ratio"] == pytest.approx(means["student"] / means["base"])


def test_nothing_right_and_nothing_graded_have_no_index(lineage):
    costs, norms = study(accuracy=(0.9, 0.0, 0.5))
    costs["correct"] = costs["correct"].mask(costs["model"] == "base")
    result = found(costs, norms, lineage)
    table = result.models.set_index("model")
    assert table.loc[["student", "base"], "value"].isna().all()
    assert "no answer is right" in table.at["student", "note"]
    assert (table.at["base", "n_ungraded"], table.at["base", "note"]) == (
        60,
        "no item with a cost and a grade",
    )
    assert np.isnan(result.points["ratio"].iloc[0])
    assert result.law[["n_points", "n_left_out"]].to_numpy().tolist() == [[0, 1]]
    assert result.law["note"].tolist() == ["no point has an index on both sides"]


def test_a_point_compares_the_items_that_both_were_graded_on(lineage):
    costs, norms = study()
    gone = (costs["model"] == "student") & costs["item"].isin(["i0", "i1"])
    costs["correct"] = costs["correct"].mask(gone)
    costs = costs[~((costs["model"] == "base") & (costs["item"] == "i5"))]
    row = found(costs, norms, lineage).points.iloc[0]
    part = (
        costs[~costs["item"].isin(["i0", "i1", "i5"])]
        .groupby("model")[["reasoning_tokens", "correct"]]
        .mean()
    )
    iei = part["reasoning_tokens"] / part["correct"]
    assert (row["n"], row["student"], row["baseline"]) == (57, "student", "base")
    assert (row["x"], row["y"]) == pytest.approx((iei["base"], iei["student"]))


def test_failed_requests_have_no_part(lineage):
    costs, norms = study(samples=2)
    more = costs.copy()
    more.loc[more.index[0], ["reasoning_tokens", "correct", "stop"]] = [1e7, 0.0, "error"]
    value = found(more, norms, lineage).models.set_index("model").at["teacher", "value"]
    items = costs.drop(index=0)[lambda t: t["model"] == "teacher"].groupby("item")[
        ["reasoning_tokens", "correct"]
    ]
    means = items.mean().mean()
    assert value == pytest.approx(means["reasoning_tokens"] / means["correct"])


def test_the_law_agrees_with_statsmodels():
    rng = np.random.default_rng(0)
    x = np.exp(rng.normal(7, 1, 9))
    y = 2.44 * x * np.exp(0.2 * rng.standard_normal(9))
    row = efficiency_law(points(x, y), n_boot=400).iloc[0]
    origin, line = sm.OLS(y, x).fit(), sm.OLS(y, sm.add_constant(x)).fit()
    assert row["through_origin"] == pytest.approx(origin.params[0])
    assert row["r2_origin"] == pytest.approx(origin.rsquared)
    assert (row["intercept"], row["slope"]) == pytest.approx(tuple(line.params))
    assert row["r2"] == pytest.approx(line.rsquared)
    logs = sm.OLS(np.log(y), sm.add_constant(np.log(x))).fit()
    assert row["loglog_ols"] == pytest.approx(logs.params[1])
    assert row["loglog_deming"] == pytest.approx(multipliers(np.ones((1, 9)), x, y)["loglog_deming"].item())
    left = [sm.OLS(np.delete(y, k), np.delete(x, k)).fit().params[0] for k in range(9)]
    assert (row["lowest"], row["highest"]) == pytest.approx((min(left), max(left)))
    assert row["influential"] == f"m{np.abs(np.log(np.array(left) / row['through_origin'])).argmax()} in t"
    assert row["through_origin_low"] < row["through_origin"] < row["through_origin_high"]


def test_few_points_have_no_interval_and_one_point_no_line():
    four = efficiency_law(points([1, 2, 3, 4.0], [2, 4, 6, 9.0])).iloc[0]
    assert np.isnan(four["through_origin_low"])
    assert "fewer than 5 points" in four["note"]
    two = efficiency_law(points([1, 2.0], [2, 4.0])).iloc[0]
    assert np.isnan(two["slope"])
    assert (two["through_origin"], two["geometric"]) == pytest.approx((2, 2))
    one = efficiency_law(points([3.0], [6.0])).iloc[0]
    assert one["influential"] is None or pd.isna(one["influential"])
    assert efficiency_law(pd.DataFrame(columns=POINTS)).columns.tolist() == COLUMNS


def test_relations_and_studies_are_put_together_and_kept_apart():
    both = pd.concat(
        [
            points([1.0, 2], [2.0, 4]),
            points([1.0], [3.0], "instruct sibling"),
            points([5.0, 6], [5.0, 7], study="other"),
            points([5.0], [5.0], study="other", index="mean cost"),
        ]
    )
    table = efficiency_law(both).set_index(["study", "index", "relation"])["n_points"]
    assert table.to_dict() == {
        ("s", "IEI", "true base"): 2,
        ("s", "IEI", "instruct sibling"): 1,
        ("s", "IEI", "any baseline"): 3,
        ("other", "IEI", "true base"): 2,
        ("other", "mean cost", "true base"): 1,
        ("all studies", "IEI", "true base"): 4,
        ("all studies", "IEI", "instruct sibling"): 1,
        ("all studies", "IEI", "any baseline"): 5,
    }


def test_r2_about_zero_of_nothing():
    assert np.isnan(r2_about_zero(np.zeros(3), np.ones(3)))
    assert r2_about_zero(np.array([1.0, 2]), np.array([3.0, 6])) == pytest.approx(1)


def test_hostile_tables_give_rows_with_a_note(lineage):
    costs, norms = study(n=2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        one = found(costs[costs["item"] == "i0"], norms, lineage)
        silent = found(costs.assign(reasoning_tokens=[5.0, 5, 0, 0, 5, 5]), norms, lineage)
        alone = found(costs[costs["model"] == "teacher"].assign(model="stranger"), norms, lineage)
    assert one.models["n"].tolist() == [1, 1, 1]
    assert one.models.columns.tolist() == MODELS
    assert "student" in silent.models["model"].tolist()
    assert alone.models["role"].isna().all()
    assert alone.points.columns.tolist() == POINTS
    assert alone.law.columns.tolist() == COLUMNS


def test_a_resample_without_a_right_answer_is_told(lineage):
    costs, norms = study(n=10)
    costs["correct"] = (costs["item"] == "i0").astype(float)
    note = found(costs, norms, lineage).models["note"].iloc[0]
    share = float(note.split()[0])
    assert share == pytest.approx(100 * 0.9**10, abs=10)
    assert "the upper end is too low" in note


def test_a_recorded_study():
    given = recorded.load_study("mip-math")
    table = efficiency(join(given.costs, given.norms), given.costs, load_lineage(), n_boot=50).models
    limo = table.set_index("model").loc["LIMO"]
    part = given.costs[(given.costs["model"] == "LIMO") & given.costs["correct"].notna()]
    assert limo["value"] == pytest.approx(part["reasoning_tokens"].mean() / part["correct"].mean())
    assert limo["n_ungraded"] == 52 - len(part)
