import numpy as np
import pandas as pd
import pytest

from handan.findings.join import join
from handan.findings.paired_costs import RELATIONS, item_means, measured, paired_costs, truncated_shares


def test_pairs_hold_the_items_that_both_did(simulated, lineage):
    costs, norms = simulated({"teacher": 0.6, "student": 0.4, "base": 0.5}, n=12)
    costs = costs[~((costs["model"] == "student") & (costs["item"] == "i4"))]
    norms.loc[norms["item"] == "i7", "log_rt"] = np.nan
    (found,) = paired_costs(join(costs, norms), costs, lineage)
    assert found.pairs["relation"].tolist() == list(RELATIONS[:2])
    gone = ~found.common()[:, 0]
    assert found.items[gone].tolist() == ["i4"]
    assert "i7" not in found.items
    assert np.isnan(found.reference[gone]).all()
    means = item_means(costs).loc[("simulated", "t")]
    kept = found.items[~gone]
    assert found.reference[~gone, 0] == pytest.approx(means.loc[kept, "teacher"])
    assert found.student[~gone, 1] == pytest.approx(means.loc[kept, "student"])


def test_a_model_that_never_spent_a_token_was_measured_too(simulated, lineage):
    costs, norms = simulated({"teacher": 0.6, "student": 0.4, "stranger": 0.4}, n=12)
    costs.loc[costs["model"] == "student", "reasoning_tokens"] = 0
    joined = join(costs, norms)
    assert measured(joined, lineage) == ["teacher", "student"]
    (found,) = paired_costs(joined, costs, lineage)
    assert (found.student == 0).all()


def test_shares_of_cut_traces():
    costs = pd.DataFrame(
        dict(study="s", task="t", model=["a", "a", "b", "b"], item=["i", "j"] * 2, reasoning_tokens=1.0)
    ).assign(stop=["length", "stop", None, None])
    table = truncated_shares(pd.DataFrame(dict(study=["s"], task="t", x="a", y="b")), costs, ("x", "y"))
    assert table["truncated_x"].tolist() == [0.5]
    assert table["truncated_y"].isna().all()
