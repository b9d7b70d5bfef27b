import numpy as np
import pandas as pd
import pytest

from handan import costs as recorded
from handan.findings.inflation import measure
from handan.findings.inflation_pool import ANY_BASELINE, COLUMNS, pooled_rows
from handan.findings.inflation_sim import simulated_study
from handan.findings.join import join
from handan.lineage import load_lineage


def pooled(costs, norms, lineage, **options):
    return measure(join(costs, norms), costs, lineage, **{"n_boot": 300, **options})


def test_the_mean_over_pairs_draw_by_draw():
    costs, norms, lineage = simulated_study(1.2, n_pairs=3, n_items=60)
    found = pooled(costs, norms, lineage)
    row = found.pooled.iloc[0]
    assert (row["relation"], row["n_pairs"], row["n_tasks"], row["n_items"]) == ("true base", 3, 1, 60)
    assert row["multiplier"] == pytest.approx(np.exp(np.log(found.pairs["geometric"]).mean()))
    assert row["change"] == pytest.approx(np.exp(np.log(found.pairs["change"]).mean()))
    wide = costs.pivot(index="item", columns="model", values="reasoning_tokens").loc[norms["item"]]
    ratio = np.mean([np.log(wide[f"student-{k}"] / wide[f"base-{k}"]) for k in range(3)], axis=0)
    d = (norms["log_rt"] - norms["log_rt"].mean()) / norms["log_rt"].std()
    assert row["change"] == pytest.approx(np.exp(np.polyfit(d, ratio, 1)[0]))
    # averaging over pairs takes their own errors off, so the interval is shorter than any pair's
    width = np.log(row["change_high"] / row["change_low"])
    assert width < np.log(found.pairs["change_high"] / found.pairs["change_low"]).min()
    assert row["sentence"].startswith("In simulated (true base, 3 pairs, 60 items) students spend")


def test_the_same_pairs_twice_gain_nothing():
    costs, norms, lineage = simulated_study(1.0, n_pairs=1, n_items=50)
    twin = costs.assign(model=costs["model"].str.replace("-0", "-1"))
    more = simulated_study(1.0, n_pairs=2, n_items=50).lineage
    alone = pooled(costs, norms, lineage).pooled.iloc[0]
    both = pooled(pd.concat([costs, twin], ignore_index=True), norms, more).pooled.iloc[0]
    names = ["multiplier_low", "multiplier_high", "change_low", "change_high"]
    assert both[names].astype(float).to_numpy() == pytest.approx(alone[names].astype(float).to_numpy())
    assert "1 pair, 50 items) the student spends" in alone["sentence"]


def test_a_recorded_study_in_which_students_have_two_kinds_of_baseline():
    given = recorded.load_study("pm-bench")
    found = measure(
        join(given.costs, given.norms), given.costs, load_lineage(), given.reliability, n_boot=300
    )
    table = found.pooled.set_index("relation")
    assert table["n_pairs"].to_dict() == {
        "own teacher": 6, "true base": 1, "instruct sibling": 5, ANY_BASELINE: 6
    }  # fmt: skip
    logs = np.log(found.pairs.set_index("relation")["geometric"])
    six = logs[["true base", "instruct sibling"]]
    assert table.at[ANY_BASELINE, "multiplier"] == pytest.approx(np.exp(six.mean()))
    assert table["ceiling"].to_numpy() == pytest.approx(found.pairs["ceiling"].iloc[0])


def test_what_cannot_be_pooled_is_counted():
    costs, norms, lineage = simulated_study(1.0, n_pairs=3, n_items=40)
    zero, flat = costs["model"] == "student-0", costs["model"].isin(["student-1", "base-1"])
    costs.loc[zero, "reasoning_tokens"] = 0
    costs.loc[flat, "reasoning_tokens"] = 10
    row = pooled(costs, norms, lineage).pooled.iloc[0]
    assert row["n_pairs"] == 2
    assert row["note"] == (
        "1 of 3 rows left out: no item costs both models more than zero; 1 of 2 rows say nothing about change"
    )
    only = costs[costs["model"].isin(["student-1", "base-1"])]
    row = pooled(only, norms, lineage).pooled.iloc[0]
    assert (row["multiplier"], row["verdict"]) == (pytest.approx(1), "cannot tell")
    assert np.isnan(row["change"])
    assert "no interval" in row["sentence"]
    dead = pooled(costs[costs["model"].isin(["student-0", "base-0"])], norms, lineage).pooled.iloc[0]
    assert (dead["n_pairs"], dead["n_items"], dead["verdict"]) == (0, 0, "cannot tell")


def test_several_studies_are_not_mixed():
    one, norms, lineage = simulated_study(1.0, n_pairs=2, n_items=40, name="one")
    two = simulated_study(1.5, n_pairs=2, n_items=40, name="two").costs
    table = pooled(pd.concat([one, two], ignore_index=True), norms, lineage).pooled
    assert table["study"].tolist() == ["one", "two"]
    assert table["change"].iloc[1] > 1.3 > table["change"].iloc[0]


def test_no_pair_no_row():
    assert pooled_rows(pd.DataFrame()).columns.tolist() == COLUMNS
    costs, norms, lineage = simulated_study(1.0)
    found = pooled(costs[costs["model"] == "base-0"], norms, lineage)
    assert found.pairs.empty
    assert found.pooled.empty
    assert {"note", "verdict", "change_low"} <= set(found.pairs.columns) & set(found.pooled.columns)
