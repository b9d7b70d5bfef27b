import json
from pathlib import Path

import numpy as np
import pytest

from handan.findings.efficiency_law import r2_about_zero
from handan.findings.inflation import measure
from handan.findings.inflation_sim import simulated_study
from handan.findings.join import join
from handan.findings.paired_costs import item_means
from handan.stats.simulate import proportion_interval

STORED = json.loads((Path(__file__).parent / "inflation_sim.json").read_text())
STUDIES = 30


def stored(change, n_items):
    return next(one for one in STORED["conditions"] if (one["change"], one["n_items"]) == (change, n_items))


def found(change, n_items, seed, n_boot=400):
    costs, norms, lineage = simulated_study(change, n_items=n_items, n_pairs=3, seed=seed)
    return costs, measure(join(costs, norms), costs, lineage, n_boot=n_boot, seed=seed)


@pytest.mark.parametrize("change", [1.0, 1.25])
def test_a_line_through_the_origin_is_2_44_with_much_the_same_fit_whatever_the_truth(change):
    costs, result = found(change, 136, seed=1)
    assert result.pairs["through_origin"].to_numpy() == pytest.approx(2.44)
    means = item_means(costs)
    assert r2_about_zero(means["base-0"].to_numpy(), means["student-0"].to_numpy()) > 0.8
    ratio = np.log(means["student-0"] / means["base-0"])
    hard = means["base-0"] > means["base-0"].median()
    grows = np.exp(ratio[hard].mean() - ratio[~hard].mean())
    assert (grows > 1.15) == (change > 1.2)


def test_change_tells_them_apart_in_a_thousand_studies():
    for one in STORED["conditions"]:
        assert one["studies"] >= 1000
        assert one["through_origin"] == pytest.approx(2.44)
        assert one["r2_origin"] > 0.9
        # percentile intervals are a little short with few items, and so they are with the 600 draws used here
        assert one["covered"]["share"] == pytest.approx(0.95, abs=0.025 if one["n_items"] < 100 else 0.02)
    for n_items in (46, 136):
        assert stored(1.0, n_items)["supported"]["share"] > 0.85
        assert stored(1.0, n_items)["not supported"]["share"] <= 0.05
        assert stored(1.25, n_items)["not supported"]["share"] > 0.95
        assert stored(1.25, n_items)["supported"]["share"] == 0
    # a change of the limit's own size may pass for constant in 2.5 %
    assert stored(1.1, 136)["supported"]["low"] <= 0.025


@pytest.mark.parametrize("change", [1.0, 1.25])
def test_a_few_studies_agree_with_the_stored_ones(change):
    rows = [found(change, 46, seed=10_000 + k)[1].pooled.iloc[0] for k in range(STUDIES)]
    covered = sum(row["change_low"] <= change <= row["change_high"] for row in rows)
    told = sum(row["verdict"] == ("supported" if change == 1 else "not supported") for row in rows)
    name = "supported" if change == 1 else "not supported"
    for count, share in ((covered, stored(change, 46)["covered"]), (told, stored(change, 46)[name])):
        low, high = proportion_interval(count, STUDIES, 0.999)
        assert low <= share["high"]
        assert share["low"] <= high


def test_what_makes_no_study_is_refused():
    for wrong in (dict(n_items=1), dict(n_pairs=0), dict(slope=-1)):
        with pytest.raises(ValueError, match="2 items, 1 pair"):
            simulated_study(1.0, **wrong)
    with pytest.raises(ValueError, match="above 0"):
        simulated_study(0.0)
