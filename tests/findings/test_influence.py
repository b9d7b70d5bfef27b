import numpy as np
import pandas as pd
import pytest

from handan import costs as recorded
from handan.findings.inflation import measure
from handan.findings.inflation_sim import simulated_study
from handan.findings.influence import ITEMS, POOLED, influence
from handan.findings.join import join
from handan.lineage import load_lineage


def refit(costs, norms, lineage, gone):
    """The estimates without an item, in the unit of all items."""
    left = costs[costs["item"] != gone]
    row = measure(join(left, norms), left, lineage, n_boot=2).pairs.iloc[0]
    items = norms["item"].isin(left["item"])
    unit = norms["log_rt"].std() / norms.loc[items, "log_rt"].std()
    return row["through_origin"], row["geometric"], row["change"] ** unit


def test_every_item_left_out_and_fitted_again():
    costs, norms, lineage = simulated_study(1.2, n_items=12)
    costs.loc[costs["item"] == "i3", "reasoning_tokens"] *= [1, 6]
    table = influence(join(costs, norms), costs, lineage).items.set_index("estimate")
    again = np.array([refit(costs, norms, lineage, item) for item in norms["item"]])
    for k, estimate in enumerate(("through_origin", "multiplier", "change")):
        row = table.loc[estimate]
        assert (row["lowest"], row["highest"]) == pytest.approx((again[:, k].min(), again[:, k].max()))
        furthest = np.abs(np.log(again[:, k] / row["value"])).argmax()
        assert row["left_out"] == norms["item"].iloc[furthest]
        assert row["without"] == pytest.approx(again[furthest, k])
        assert row["factor"] == pytest.approx(row["without"] / row["value"])
    assert table.at["multiplier", "left_out"] == "i3"


def test_pooled_without_an_item_and_without_a_pair():
    costs, norms, lineage = simulated_study(1.0, n_pairs=3, n_items=30)
    far = (costs["model"] == "student-2") & (costs["item"] == "i5")
    costs.loc[far, "reasoning_tokens"] *= 50
    costs.loc[costs["model"] == "student-1", "reasoning_tokens"] *= 4
    found = measure(join(costs, norms), costs, lineage, n_boot=2)
    table = influence(join(costs, norms), costs, lineage).pooled.set_index(["estimate", "unit"])
    row = table.loc[("multiplier", "item")]
    assert row["value"] == pytest.approx(found.pooled["multiplier"].iloc[0])
    assert row["left_out"] == "t / i5"
    left = costs[costs["item"] != "i5"]
    again = measure(join(left, norms), left, lineage, n_boot=2).pooled["multiplier"].iloc[0]
    assert row["without"] == pytest.approx(again)
    row = table.loc[("multiplier", "pair")]
    assert row["left_out"] == "student-1 / base-1"
    logs = np.log(found.pairs["geometric"])
    assert row["without"] == pytest.approx(np.exp(logs[[0, 2]].mean()))
    assert row["lowest"] == pytest.approx(row["without"])


def test_the_recorded_studies():
    given = recorded.load_study("pm-bench")
    joined = join(given.costs, given.norms)
    found = influence(joined, given.costs, load_lineage())
    pairs = measure(joined, given.costs, load_lineage(), n_boot=2).pairs
    values = found.items.pivot(index=["relation", "student"], columns="estimate", values="value")
    stored = pairs.set_index(["relation", "student"]).loc[values.index]
    assert values["multiplier"].to_numpy() == pytest.approx(stored["geometric"].to_numpy())
    assert values["change"].to_numpy() == pytest.approx(stored["change"].to_numpy())
    assert set(found.pooled["relation"]) == {"own teacher", "true base", "instruct sibling", "any baseline"}
    alone = found.pooled[(found.pooled["relation"] == "true base") & (found.pooled["unit"] == "pair")]
    assert (alone["note"] == "nothing is left without one").all()


def test_too_little_to_leave_anything_out():
    costs, norms, lineage = simulated_study(1.0, n_items=2)
    table = influence(join(costs, norms), costs, lineage).items.set_index("estimate")
    assert np.isfinite(table.at["multiplier", "without"])
    assert np.isnan(table.at["change", "without"])
    assert table.at["change", "note"] == "nothing is left without one"
    one = costs[costs["item"] == "i0"]
    table = influence(join(one, norms), one, lineage).items.set_index("estimate")
    assert table["note"].tolist() == ["nothing is left without one"] * 2 + ["there is no estimate"]
    zero = costs.assign(reasoning_tokens=np.where(costs["model"] == "base-0", 0, 5))
    table = influence(join(zero, norms), zero, lineage).items.set_index("estimate")
    assert table["note"].tolist() == ["there is no estimate"] * 3
    empty = influence(join(one, norms), one, lineage[lineage["model"] == "base-0"])
    assert (empty.items.columns.tolist(), empty.pooled.columns.tolist()) == (ITEMS, POOLED)
    assert pd.concat([empty.items, empty.pooled]).empty
